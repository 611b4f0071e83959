"""What the sandbox needs of HTTP: a server, key pairs and tokens, and the matching of paths."""
