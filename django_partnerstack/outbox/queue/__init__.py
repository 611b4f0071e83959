"""Writing messages down, and deciding which is sent next."""
