"""A host's app as the tests need one: it has accounts and payments, and reports them as the README shows."""
