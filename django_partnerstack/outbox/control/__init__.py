"""What an operator can do with messages."""
