"""
Payments after they were reported: refunds and corrections.

PartnerStack can only delete a transaction, so the rest of a payment, or its corrected content, is created
again under a derived key.
"""
