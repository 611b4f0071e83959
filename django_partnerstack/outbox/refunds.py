"""Refunds. PartnerStack can only delete a transaction, so a partial refund creates the balance again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import router

from ..exceptions import RefundError
from ..models import OutboxMessage, ReportedKey, State, Transaction
from .operations import CREATE_TRANSACTION, DELETE_TRANSACTION, OPERATIONS
from .queue.messages import NewMessage, customer_lane


@dataclass(frozen=True)
class Balance:
    """
    The part of a payment that is not refunded.

    ``key``: its current key at PartnerStack. ``subject``: the key that the payment was reported under.
    ``amount``: in minor units.
    """

    key: str
    subject: str
    payload: dict[str, Any]
    lane: str

    @property
    def amount(self) -> int:
        return self.payload["amount"]

    @property
    def currency(self) -> str:
        return self.payload["currency"]

    def refund_messages(self, amount: int) -> list[NewMessage]:
        """The messages that refund an amount in minor units. Raises RefundError if the balance is smaller."""
        if not 0 < amount <= self.amount:
            raise RefundError(
                f"{self.subject}: cannot refund {amount}; "
                f"{self.amount} can be refunded ({self.currency}, minor units)."
            )
        messages = [self._message(DELETE_TRANSACTION, {"key": self.key})]
        if amount < self.amount:
            rest = {**self.payload, "key": self._next_key(), "amount": self.amount - amount}
            messages.append(self._message(CREATE_TRANSACTION, rest))
        return messages

    def _next_key(self) -> str:
        number = int(self.key.removeprefix(f"{self.subject}-r")) if self.key != self.subject else 0
        return f"{self.subject}-r{number + 1}"

    def _message(self, operation: str, payload: dict[str, Any]) -> NewMessage:
        return NewMessage(operation=operation, lane=self.lane, subject=self.subject, payload=payload)


def refundable_balance(key: str, *, mode: str) -> Balance:
    """
    The balance of a payment, by the key that it was reported under.

    Raises RefundError if there is none. Takes no lock: if two callers read the same balance, only one of them
    can queue its messages, because the dedupe keys are unique.
    """
    using = router.db_for_write(OutboxMessage)
    messages = OutboxMessage.objects.using(using).filter(mode=mode, subject=key)
    payments = messages.filter(operation=CREATE_TRANSACTION).exclude(state=State.CANCELLED).order_by("-pk")
    last = payments.first()
    balance = (
        Balance(last.payload["key"], key, last.payload, last.lane) if last else _from_mirror(key, mode, using)
    )
    deletion = OPERATIONS[DELETE_TRANSACTION].dedupe_key({"key": balance.key})
    queued = messages.filter(operation=DELETE_TRANSACTION, dedupe_key=deletion).exclude(state=State.CANCELLED)
    reported = ReportedKey.objects.using(using).filter(
        mode=mode, dedupe_key=deletion, reported_at__isnull=False
    )
    if queued.exists() or reported.exists():
        raise RefundError(f"{key} is refunded already.")
    return balance


def _from_mirror(key: str, mode: str, using: str) -> Balance:
    """The balance of a payment that was reported by other means, or whose message was pruned."""
    rows = Transaction.objects.using(using).filter(mode=mode, archived=False, missing_since=None)
    candidates = [row for row in rows.filter(key__startswith=key) if _belongs_to(row.key, key)]
    if not candidates:
        raise RefundError(f"{key} was never reported, or is refunded already.")
    row = max(candidates, key=lambda candidate: (len(candidate.key), candidate.key))
    payload = {
        "key": row.key,
        "customer_external_key": row.customer_external_key,
        "amount": row.amount,
        "currency": row.currency,
    }
    return Balance(row.key, key, payload, customer_lane(row.customer_external_key))


def _belongs_to(candidate: str, key: str) -> bool:
    """Whether it is the key of the payment, or of its balance after a refund."""
    number = candidate.removeprefix(f"{key}-r")
    return candidate == key or (number != candidate and number.isdecimal())
