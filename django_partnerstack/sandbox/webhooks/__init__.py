"""What the sandbox delivers to the URLs that were registered as webhooks."""
