"""What this site reports to PartnerStack about its own objects."""

from __future__ import annotations

from django_partnerstack import sources

from .models import Account, Payment


@sources.customer(Account)
def account(account: Account) -> sources.CustomerData:
    return sources.CustomerData(email=account.owner.email, name=account.name, partner_key=account.partner_key)


@sources.transaction(Payment)
def payment(payment: Payment) -> sources.TransactionData | sources.Skipped:
    if not payment.paid:
        return sources.Skipped("Not paid yet.")
    return sources.TransactionData(
        key=payment.key, customer=payment.account, amount=payment.amount, currency=payment.currency
    )
