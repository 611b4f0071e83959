"""All that this site does for PartnerStack: it says what its own objects are there."""

from __future__ import annotations

from django_partnerstack import sources

from .models import Account, Payment


@sources.customer(Account)
def account(account: Account) -> sources.CustomerData:
    return sources.CustomerData(email=account.owner.email, name=account.name, partner_key=account.partner_key)


@sources.transaction(Payment)
def payment(payment: Payment) -> sources.TransactionData | sources.Skipped:
    if not payment.paid:
        return sources.Skipped("It is not paid yet.")
    return sources.TransactionData(
        key=payment.key, customer=payment.account, amount=payment.amount, currency=payment.currency
    )
