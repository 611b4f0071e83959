"""What the tests of a site use."""
