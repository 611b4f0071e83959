"""How the sandbox behaves: switches for what PartnerStack does not document, and faults on demand."""
