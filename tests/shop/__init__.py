"""An app of a site, with accounts and payments that it reports as the README shows."""
