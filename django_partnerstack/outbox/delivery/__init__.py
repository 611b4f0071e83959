"""Sending claimed messages, and recording the outcome."""
