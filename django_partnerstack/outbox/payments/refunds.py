"""Refunds: a payment is deleted, and what is left of it is created again."""

from __future__ import annotations

import hashlib
from decimal import Decimal

from django.db import router, transaction
from django.db.models import QuerySet

from ...client.money import minor_units
from ...exceptions import KeyCollision, RefundError
from ...models import OutboxMessage, ReportedKey
from ..keys import check_text
from ..queue.new_message import NewMessage
from .balance import Balance, queue_replacement, refundable_balance
from .history import payment_history, void_messages

#: The fingerprint of a refund without an amount.
WHOLE = "whole"


def refund_payment(payment: str, amount: Decimal | int | None, key: str, *, mode: str) -> bool:
    """
    Queue a refund of an amount, or of the whole balance. Returns False if it was queued before.

    ``payment``: the key that the payment was reported under. ``key``: that of the refund, or "".

    Raises InvalidArgument for a key or an amount that cannot be used, RefundError if there is nothing, or not
    enough, to refund, and KeyCollision if the key was used for another refund. Nothing is queued then.
    """
    check_text("The payment to refund", payment)
    check_text("The key of a refund", key)
    using = router.db_for_write(OutboxMessage)
    with transaction.atomic(using):
        if key and _is_queued(payment, amount, key, mode, using):
            return False
        balance = refundable_balance(payment, mode=mode)
        refunded = balance.amount if amount is None else minor_units(amount, balance.currency)
        queue_replacement(balance, refund_messages(balance, refunded, key), mode=mode)
        if key:
            _refunds(key, mode, using).update(
                source_pk=payment,
                amount=refunded,
                currency=balance.currency,
                fingerprint=WHOLE if amount is None else "",
            )
    return True


def refund_messages(balance: Balance, amount: int, refund_key: str = "") -> list[NewMessage]:
    """The messages that refund an amount in minor units. Raises RefundError if the balance is smaller."""
    if not 0 < amount <= balance.amount:
        raise RefundError(
            f"{balance.subject}: cannot refund {amount}; "
            f"{balance.amount} can be refunded ({balance.currency}, minor units)."
        )
    marked = {"refund": refund_key} if refund_key else {}
    messages = [balance.deletion(**marked)]
    if amount < balance.amount:
        messages.append(balance.replacement({**balance.payload, "amount": balance.amount - amount}))
    return messages


def _is_queued(payment: str, amount: Decimal | int | None, refund_key: str, mode: str, using: str) -> bool:
    """
    Whether this refund was queued before; otherwise remember its key.

    A refund that an operator cancelled does not count. Raises KeyCollision if the key was used for another.
    """
    found, is_new = _refunds(refund_key, mode, using).get_or_create(
        mode=mode, dedupe_key=_dedupe_key(refund_key), defaults={"source_pk": payment}
    )
    if is_new:
        return False
    history = payment_history(found.source_pk, mode, using)
    queued = [each for each in history if each.payload.get("refund") == refund_key]
    if queued and queued[-1] in void_messages(history):
        return False
    if found.source_pk != payment or not _is_same_amount(found, amount):
        whole = ", the balance" if found.fingerprint == WHOLE else ""
        raise KeyCollision(
            f"The refund key {refund_key!r} was used for {found.amount} {found.currency} (minor units)"
            f"{whole} of {found.source_pk!r}. Nothing was queued. Use another key for another refund."
        )
    return True


def _is_same_amount(found: ReportedKey, amount: Decimal | int | None) -> bool:
    if amount is None:
        return found.fingerprint == WHOLE
    return minor_units(amount, found.currency) == found.amount


def _refunds(refund_key: str, mode: str, using: str) -> QuerySet[ReportedKey]:
    return ReportedKey.objects.using(using).filter(mode=mode, dedupe_key=_dedupe_key(refund_key))


def _dedupe_key(refund_key: str) -> str:
    return f"refund:{hashlib.sha256(refund_key.encode()).hexdigest()}"
