"""Sign-ups, payments and refunds. The messages for PartnerStack are queued in the same transactions."""

from __future__ import annotations

from decimal import Decimal

from django.contrib.auth import get_user_model
from django.db import transaction

from django_partnerstack import track

from .models import Account, Payment


@transaction.atomic
def sign_up(*, email: str, password: str | None, name: str, partner_key: str = "") -> Account:
    """Create a user and an account. Saving the account reports it, with the visitor's click."""
    owner = get_user_model().objects.create_user(username=email, email=email, password=password)
    return Account.objects.create(owner=owner, name=name, partner_key=partner_key)


def charge(account: Account, amount: Decimal, currency: str = "USD") -> Payment:
    """Create a successful payment. Saving it reports it."""
    return Payment.objects.create(account=account, amount=amount, currency=currency, paid=True)


@transaction.atomic
def refund(payment: Payment, amount: Decimal) -> None:
    """
    Refund a part of a payment, or all of it.

    Raises track.RefundError if the amount is more than the balance, or if the payment was never reported.
    """
    payment = Payment.objects.select_for_update().get(pk=payment.pk)
    payment.refunded += amount
    payment.save(update_fields=["refunded"])
    track.refund(payment.key, amount=amount)
