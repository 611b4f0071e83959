"""Sequencing: each new message gets its operation, its state and its place in its lane."""
