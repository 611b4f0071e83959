"""Where personal data are stored, and what becomes of them when a customer is forgotten."""
