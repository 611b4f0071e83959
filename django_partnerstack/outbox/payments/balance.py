"""What PartnerStack has, or gets, of a payment: its balance, by the key that it was reported under."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from django.db import router

from ...exceptions import RefundError
from ...models import OutboxMessage, ReportedKey, State, Transaction
from ..keys import derived_key, number_of, payment_key
from ..operations import CREATE_TRANSACTION, DELETE_TRANSACTION, OPERATIONS
from ..queue.messages import enqueue
from ..queue.new_message import NewMessage, customer_lane
from ..queue.reported_keys import payment_dedupe_key
from .history import is_original, is_refund, payment_history, void_messages

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

    def deletion(self, **details: Any) -> NewMessage:
        """The message that deletes the balance. ``details`` are not sent."""
        return self._message(DELETE_TRANSACTION, {"key": self.key, **details}, self.lane)

    def replacement(self, payload: dict[str, Any]) -> NewMessage:
        """The message that creates this content in place of the balance."""
        key = derived_key(self.subject, self.replaced + 1)
        lane = customer_lane(payload["customer_external_key"])
        return self._message(CREATE_TRANSACTION, {**payload, "key": key}, lane)

    def _message(self, operation: str, payload: dict[str, Any], lane: str) -> NewMessage:
        return NewMessage(operation=operation, lane=lane, subject=self.subject, payload=payload)


def refundable_balance(key: str, *, mode: str) -> Balance:
    """
    The balance of a payment, by the key that it was reported under.

    Raises RefundError if there is none. Takes no lock: if two callers read the same balance, only one of them
    can queue its messages, because the dedupe keys are unique.
    """
    using = router.db_for_write(OutboxMessage)
    history = payment_history(key, mode, using)
    void = void_messages(history)
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
    return replace(
        balance,
        replaced=max(number_of(balance.key), derived_keys(history)),
        refunded=any(is_refund(each) for each in history if each not in void)
        or _is_rest(balance, mode, using),
    )


def derived_keys(history: list[OutboxMessage]) -> int:
    """How many derived keys these messages have used."""
    return max((number_of(str(each.payload.get("key", ""))) for each in history), default=0)


def queue_replacement(balance: Balance, messages: list[NewMessage], *, mode: str) -> None:
    """
    Queue the messages of a refund or a correction. Call it in a transaction.

    Those of earlier refunds and corrections that an operator cancelled are replaced, with what depends on
    them. Raises RefundError if another process is refunding the payment.
    """
    using = router.db_for_write(OutboxMessage)
    history = payment_history(balance.subject, mode, using)
    # The payment itself was not replaced, so it keeps its key.
    void = [each for each in void_messages(history) if not is_original(each)]
    released = [each.dedupe_key for each in void if each.dedupe_key is not None]
    replaced = OutboxMessage.objects.using(using).filter(pk__in=[each.pk for each in void])
    replaced.exclude(state=State.CANCELLED).update(state=State.CANCELLED, reason=REFUND_CANCELLED)
    replaced.update(dedupe_key=None)
    ReportedKey.objects.using(using).filter(mode=mode, dedupe_key__in=released, reported_at=None).delete()
    for message in messages:
        if not enqueue(message, mode=mode, using=using):
            raise RefundError(f"Another process is refunding {balance.subject} at this moment; try again.")


def _is_rest(balance: Balance, mode: str, using: str) -> bool:
    """Whether a refund left this balance, also if its messages were pruned. A correction leaves all of it."""
    creation = payment_dedupe_key(balance.subject)
    whole = ReportedKey.objects.using(using).filter(mode=mode, dedupe_key=creation, amount=balance.amount)
    return bool(number_of(balance.key)) and not whole.exists()


def _deletes(message: OutboxMessage, key: str) -> bool:
    return message.operation == DELETE_TRANSACTION and message.payload.get("key") == key


def _queued_balance(message: OutboxMessage, subject: str) -> Balance:
    return Balance(message.payload["key"], subject, message.payload, message.lane)


def _from_mirror(key: str, mode: str, using: str) -> Balance:
    """The balance of a payment that was reported by other means, or whose message was pruned."""
    rows = Transaction.objects.using(using).filter(mode=mode, key__startswith=key)
    mirrored = [row for row in rows if payment_key(row.key) == key]
    if not mirrored:
        return _from_keys(key, mode, using)
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


def _from_keys(key: str, mode: str, using: str) -> Balance:
    """The balance of a payment whose message was pruned and that the next sync will mirror again."""
    creation = payment_dedupe_key(key)
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
