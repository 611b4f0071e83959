"""
Reconciliation: the site's own objects, as its sources describe them, against the mirror, in both directions.

Reads only. Takes the same memory for any number of payments.
"""
