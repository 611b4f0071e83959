"""Queueing messages, and choosing which message is sent next."""
