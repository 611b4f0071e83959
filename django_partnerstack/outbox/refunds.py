"""
Refunds and corrections. PartnerStack can only delete a transaction, so the rest of a payment, or its
corrected content, is created again under a derived key.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Any

from django.db import router

from ..exceptions import RefundError
from ..models import OutboxMessage, ReportedKey, State, Transaction
from .keys import derived_key, number_of, payment_key
from .operations import CREATE_TRANSACTION, DELETE_TRANSACTION, OPERATIONS
from .queue.messages import NewMessage, customer_lane, enqueue

REFUND_CANCELLED = "Its refund was cancelled."


@dataclass(frozen=True)
class Balance:
    """
    The part of a payment that is not refunded.

    ``key``: its current key at PartnerStack. ``subject``: the key that the payment was reported under.
    ``amount``: in minor units. ``replaced``: how many derived keys the payment has used. ``refunded``:
    whether a part was refunded.
    """

    key: str
    subject: str
    payload: dict[str, Any]
    lane: str
    replaced: int = 0
    refunded: bool = False

    @property
    def amount(self) -> int:
        return self.payload["amount"]

    @property
    def currency(self) -> str:
        return self.payload["currency"]

    def refund_messages(self, amount: int, refund_key: str = "") -> list[NewMessage]:
        """The messages that refund an amount in minor units. Raises RefundError if the balance is smaller."""
        if not 0 < amount <= self.amount:
            raise RefundError(
                f"{self.subject}: cannot refund {amount}; "
                f"{self.amount} can be refunded ({self.currency}, minor units)."
            )
        marked = {"refund": refund_key} if refund_key else {}
        messages = [self._message(DELETE_TRANSACTION, {"key": self.key, **marked})]
        if amount < self.amount:
            messages.append(self._replacement({**self.payload, "amount": self.amount - amount}))
        return messages

    def correction_messages(self, payload: dict[str, Any]) -> list[NewMessage]:
        """The messages that replace the payment by one with this content."""
        deletion = self._message(DELETE_TRANSACTION, {"key": self.key, "is_correction": True})
        return [deletion, self._replacement(payload)]

    def _replacement(self, payload: dict[str, Any]) -> NewMessage:
        key = derived_key(self.subject, self.replaced + 1)
        lane = customer_lane(payload["customer_external_key"])
        return self._message(CREATE_TRANSACTION, {**payload, "key": key}, lane)

    def _message(self, operation: str, payload: dict[str, Any], lane: str = "") -> NewMessage:
        return NewMessage(operation=operation, lane=lane or self.lane, subject=self.subject, payload=payload)


def refundable_balance(key: str, *, mode: str) -> Balance:
    """
    The balance of a payment, by the key that it was reported under.

    Raises RefundError if there is none. Takes no lock: if two callers read the same balance, only one of them
    can queue its messages, because the dedupe keys are unique.
    """
    using = router.db_for_write(OutboxMessage)
    history = _history(key, mode, using)
    void = _void(history)
    valid = [each for each in history if each.operation == CREATE_TRANSACTION and each not in void]
    balance = _queued_balance(valid[-1], key) if valid else _from_mirror(key, mode, using)
    deletions = [each for each in history if _deletes(each, balance.key)]
    if deletions:
        refunded = deletions[-1] not in void
    else:
        deletion = OPERATIONS[DELETE_TRANSACTION].dedupe_key({"key": balance.key})
        reported = ReportedKey.objects.using(using).filter(mode=mode, dedupe_key=deletion)
        refunded = reported.filter(reported_at__isnull=False).exists()
    if refunded:
        raise RefundError(f"{key} is refunded already.")
    numbers = [number_of(str(each.payload.get("key", ""))) for each in history]
    return replace(
        balance,
        replaced=max([number_of(balance.key), *numbers]),
        refunded=any(_is_refund(each) for each in history if each not in void)
        or _is_rest(balance, mode, using),
    )


def queue_replacement(balance: Balance, messages: list[NewMessage], *, mode: str) -> None:
    """
    Queue the messages of a refund or a correction. Call it in a transaction.

    Those of earlier refunds that an operator cancelled give way, with what depends on them. Raises
    RefundError if another process is refunding the payment.
    """
    using = router.db_for_write(OutboxMessage)
    history = _history(balance.subject, mode, using)
    # The payment itself was not replaced, so it keeps its key.
    void = [each for each in _void(history) if not _is_original(each)]
    released = [each.dedupe_key for each in void if each.dedupe_key is not None]
    replaced = OutboxMessage.objects.using(using).filter(pk__in=[each.pk for each in void])
    replaced.exclude(state=State.CANCELLED).update(state=State.CANCELLED, reason=REFUND_CANCELLED)
    replaced.update(dedupe_key=None)
    ReportedKey.objects.using(using).filter(mode=mode, dedupe_key__in=released, reported_at=None).delete()
    for message in messages:
        if not enqueue(message, mode=mode, using=using):
            raise RefundError(f"Another process is refunding {balance.subject} at this moment; try again.")


def is_told(payment: str, refund_key: str, *, mode: str) -> bool:
    """
    Whether a refund with this key was queued before; otherwise remember it. Call it in a transaction.

    A refund that an operator cancelled counts as not told.
    """
    using = router.db_for_write(OutboxMessage)
    digest = hashlib.sha256(f"{payment}\0{refund_key}".encode()).hexdigest()
    known = ReportedKey.objects.using(using)
    _, is_new = known.get_or_create(mode=mode, dedupe_key=f"refund:{digest}")
    if is_new:
        return False
    history = _history(payment, mode, using)
    told = [each for each in history if each.payload.get("refund") == refund_key]
    return not told or told[-1] not in _void(history)


def _history(key: str, mode: str, using: str) -> list[OutboxMessage]:
    """The payment, its deletions and their replacements, the oldest first."""
    operations = (CREATE_TRANSACTION, DELETE_TRANSACTION)
    rows = OutboxMessage.objects.using(using).filter(mode=mode, subject=key, operation__in=operations)
    return list(rows.exclude(state=State.SKIPPED).order_by("pk"))


def _is_refund(message: OutboxMessage) -> bool:
    return message.operation == DELETE_TRANSACTION and not message.payload.get("is_correction")


def _is_rest(balance: Balance, mode: str, using: str) -> bool:
    """Whether a refund left this balance, also if its messages were pruned. A correction leaves all of it."""
    creation = OPERATIONS[CREATE_TRANSACTION].dedupe_key({"key": balance.subject})
    whole = ReportedKey.objects.using(using).filter(mode=mode, dedupe_key=creation, amount=balance.amount)
    return bool(number_of(balance.key)) and not whole.exists()


def _deletes(message: OutboxMessage, key: str) -> bool:
    return message.operation == DELETE_TRANSACTION and message.payload.get("key") == key


def _is_original(message: OutboxMessage) -> bool:
    return message.operation == CREATE_TRANSACTION and not number_of(message.payload["key"])


def _void(history: list[OutboxMessage]) -> list[OutboxMessage]:
    """
    The messages that have no effect at PartnerStack: cancelled, or dependent on one that was.

    The balance after a cancelled deletion is void, and so is the deletion of a void payment.
    """
    void: list[OutboxMessage] = []
    void_keys: set[str] = set()
    is_deleted = True
    for each in history:
        key, is_cancelled = each.payload["key"], each.state == State.CANCELLED
        if each.operation == DELETE_TRANSACTION:
            is_deleted = not is_cancelled and (each.state == State.DELIVERED or key not in void_keys)
            is_void = not is_deleted
        else:
            is_void = is_cancelled or not (is_deleted or _is_original(each))
            (void_keys.add if is_void else void_keys.discard)(key)
        if is_void:
            void.append(each)
    return void


def _queued_balance(message: OutboxMessage, subject: str) -> Balance:
    return Balance(message.payload["key"], subject, message.payload, message.lane)


def _from_mirror(key: str, mode: str, using: str) -> Balance:
    """The balance of a payment that was reported by other means, or whose message was pruned."""
    rows = Transaction.objects.using(using).filter(mode=mode, key__startswith=key)
    mirrored = [row for row in rows if payment_key(row.key) == key]
    if not mirrored:
        return _reported_balance(key, mode, using)
    candidates = [row for row in mirrored if not row.archived and row.missing_since is None]
    if not candidates:
        raise RefundError(f"{key} was never reported, or is refunded already.")
    row = max(candidates, key=lambda candidate: number_of(candidate.key))
    payload = {
        "key": row.key,
        "customer_external_key": row.customer_external_key,
        "amount": row.amount,
        "currency": row.currency,
    }
    return Balance(row.key, key, payload, customer_lane(row.customer_external_key))


def _reported_balance(key: str, mode: str, using: str) -> Balance:
    """The balance of a payment whose message was pruned and that the next sync will mirror again."""
    creation = OPERATIONS[CREATE_TRANSACTION].dedupe_key({"key": key})
    rows = ReportedKey.objects.using(using).filter(mode=mode, dedupe_key__startswith=creation)
    reported = [
        row for row in rows if row.reported_at is not None and payment_key(row.dedupe_key) == creation
    ]
    if not reported:
        raise RefundError(f"{key} was never reported, or is refunded already.")
    row = max(reported, key=lambda each: number_of(each.dedupe_key))
    number = number_of(row.dedupe_key)
    current = derived_key(key, number) if number else key
    payload = {
        "key": current,
        "customer_external_key": row.customer_key,
        "amount": row.amount,
        "currency": row.currency,
    }
    return Balance(current, key, payload, customer_lane(row.customer_key))
