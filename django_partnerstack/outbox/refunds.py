"""Taking payments back. PartnerStack can delete a transaction; a part of one is deleted and told anew."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import router

from ..exceptions import PartnerStackError
from ..models import OutboxMessage, State, Transaction
from .enqueue import Draft, customer_lane


class RefundError(PartnerStackError):
    """What is to be paid back was never reported, is paid back already, or was less."""


@dataclass(frozen=True)
class Left:
    """What is left of a payment: ``amount`` in minor units, and its present key at PartnerStack."""

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

    def without(self, back: int) -> list[Draft]:
        """The messages that leave so much less of it. Raises RefundError if there is not so much."""
        if not 0 < back <= self.amount:
            raise RefundError(
                f"{self.subject}: {back} cannot be paid back of {self.amount} ({self.currency}, minor units)."
            )
        drafts = [self._draft("transactions.delete", {"key": self.key})]
        if back < self.amount:
            rest = {**self.payload, "key": self._next_key(), "amount": self.amount - back}
            drafts.append(self._draft("transactions.create", rest))
        return drafts

    def _next_key(self) -> str:
        number = int(self.key.removeprefix(f"{self.subject}-r")) if self.key != self.subject else 0
        return f"{self.subject}-r{number + 1}"

    def _draft(self, operation: str, payload: dict[str, Any]) -> Draft:
        once = f"{operation}:{payload['key']}"
        return Draft(operation=operation, lane=self.lane, subject=self.subject, payload=payload, once=once)


def what_is_left(key: str, *, mode: str) -> Left:
    """
    What is left of a payment, by the key that it was reported under. Raises RefundError if nothing is.

    Nothing is locked: what two find left can be queued by one of them only, for its keys are unique.
    """
    using = router.db_for_write(OutboxMessage)
    messages = OutboxMessage.objects.using(using).filter(mode=mode, subject=key)
    told = messages.filter(operation="transactions.create").exclude(state=State.CANCELLED).order_by("-pk")
    last = told.first()
    left = Left(last.payload["key"], key, last.payload, last.lane) if last else _from_mirror(key, mode, using)
    deleted = messages.filter(operation="transactions.delete", unique_key=f"transactions.delete:{left.key}")
    if deleted.exclude(state=State.CANCELLED).exists():
        raise RefundError(f"{key} is paid back already.")
    return left


def _from_mirror(key: str, mode: str, using: str) -> Left:
    """Of a payment whose message was pruned long ago."""
    rows = Transaction.objects.using(using).filter(
        mode=mode, archived=False, missing_since=None, synced_at__isnull=False
    )
    candidates = [row for row in rows.filter(key__startswith=key) if _is_of(row.key, key)]
    if not candidates:
        raise RefundError(f"{key} was never reported, or is paid back already.")
    row = max(candidates, key=lambda candidate: (len(candidate.key), candidate.key))
    payload = {
        "key": row.key,
        "customer_external_key": row.customer_external_key,
        "amount": row.amount,
        "currency": row.currency,
    }
    return Left(row.key, key, payload, customer_lane(row.customer_external_key))


def _is_of(candidate: str, key: str) -> bool:
    rest = candidate.removeprefix(f"{key}-r")
    return candidate == key or (rest != candidate and rest.isdecimal())
