"""Push: what this site reports to PartnerStack, exactly once in effect."""
