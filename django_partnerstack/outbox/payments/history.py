"""The messages about one payment: its creation, its deletions and what replaces it."""

from __future__ import annotations

from ...models import OutboxMessage, State
from ..keys import number_of
from ..operations import CREATE_TRANSACTION, DELETE_TRANSACTION


def payment_history(key: str, mode: str, using: str) -> list[OutboxMessage]:
    """The payment, its deletions and their replacements, the oldest first."""
    operations = (CREATE_TRANSACTION, DELETE_TRANSACTION)
    rows = OutboxMessage.objects.using(using).filter(mode=mode, subject=key, operation__in=operations)
    return list(rows.exclude(state=State.SKIPPED).order_by("pk"))


def void_messages(history: list[OutboxMessage]) -> list[OutboxMessage]:
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
            is_void = is_cancelled or not (is_deleted or is_original(each))
            (void_keys.add if is_void else void_keys.discard)(key)
        if is_void:
            void.append(each)
    return void


def is_original(message: OutboxMessage) -> bool:
    """Whether it creates the payment itself, and not what replaces it."""
    return message.operation == CREATE_TRANSACTION and not number_of(message.payload["key"])


def is_refund(message: OutboxMessage) -> bool:
    return message.operation == DELETE_TRANSACTION and not message.payload.get("is_correction")


def is_correction(message: OutboxMessage) -> bool:
    """Whether it deletes a payment so that its corrected content can be created."""
    return message.operation == DELETE_TRANSACTION and bool(message.payload.get("is_correction"))


def may_have_arrived(message: OutboxMessage) -> bool:
    """Whether PartnerStack may have carried it out."""
    in_doubt = message.in_doubt_since or message.first_in_doubt_at
    return message.state in (State.DELIVERED, State.SENDING) or in_doubt is not None
