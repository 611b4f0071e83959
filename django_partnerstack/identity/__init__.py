"""Identity: which object of the site is which customer. Recorded once, and never computed again."""
