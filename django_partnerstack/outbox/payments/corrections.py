"""Correcting a payment that PartnerStack has, after its amount, currency or customer changed on the site."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from django.db import router
from django.utils import timezone

from ...exceptions import InvalidTransition, RefundError
from ...identity.references import Reference
from ...models import OutboxMessage, ReportedKey, State
from ...throttle.throttle import site_throttle
from ..keys import number_of
from ..operations import CREATE_TRANSACTION, DELETE_TRANSACTION, OPERATIONS
from ..queue.new_message import NewMessage
from ..queue.once import holds_its_key
from ..queue.reported_keys import (
    CONTENT,
    NOTHING,
    content_of,
    is_other_object,
    key_columns,
    payment_dedupe_key,
    reported_payment,
    source_of,
)
from .balance import Balance, derived_keys, queue_replacement, refundable_balance
from .history import is_correction, is_original, may_have_arrived, payment_history, void_messages

CORRECTED = "Replaced by a correction: PartnerStack gets it under the key {}."
CORRECTION_CANCELLED = "Its correction was cancelled."


@dataclass(frozen=True)
class Correction:
    """
    How a payment is corrected.

    ``reported``: the content that PartnerStack has, or gets from what is queued; empty if it has none.
    ``refused``: the message of an earlier correction that PartnerStack refused, which this one replaces.
    """

    balance: Balance
    reported: dict[str, Any]
    refused: OutboxMessage | None = None

    def messages(self, payload: dict[str, Any]) -> list[NewMessage]:
        """The messages after which PartnerStack has this content."""
        deletion = [self.balance.deletion(is_correction=True)] if self.reported else []
        return [*deletion, self.balance.replacement(payload)]


def is_difference(message: OutboxMessage) -> bool:
    """
    Whether a failed message only shows how a payment differs from what was reported under its key.

    False if the key was used for another object: that one is no content of this payment.
    """
    is_payment = message.operation == CREATE_TRANSACTION and message.state == State.FAILED
    if not is_payment or number_of(message.payload["key"]) or holds_its_key(message):
        return False
    using = router.db_for_write(OutboxMessage)
    found = reported_payment(message.payload["key"], mode=message.mode, using=using)
    return found is None or not is_other_object(found, key_columns(vars(message)))


def correction_of(message: OutboxMessage) -> Correction:
    """
    How the payment of a message is corrected.

    Raises InvalidTransition for a message that corrects nothing, and RefundError for a payment that was
    refunded, also in part: what is to be left of it is not known.
    """
    if not is_difference(message):
        raise InvalidTransition(f"{message} does not differ from a reported payment.")
    key, using = message.payload["key"], router.db_for_write(OutboxMessage)
    history = payment_history(key, message.mode, using)
    found = reported_payment(key, mode=message.mode, using=using)
    if found is not None and content_of(found) == NOTHING:
        return Correction(Balance("", key, {}, message.lane, derived_keys(history)), {})
    balance = refundable_balance(key, mode=message.mode)
    if balance.refunded:
        raise RefundError(f"{key} was refunded in part; correct it at PartnerStack.")
    refused = [each for each in history if each.payload["key"] == balance.key and _never_arrives(each)]
    if refused:
        return Correction(balance, {}, refused[-1])
    return Correction(balance, balance.payload)


def correct_payment(message: OutboxMessage) -> None:
    """
    Replace a reported payment by the content of a message that differs from it.

    Like a refund: the payment is deleted at PartnerStack, and created again under a derived key. The message
    itself is cancelled. From now on the new content is what was reported: saving the payment again queues
    nothing. Raises the errors of ``correction_of``; nothing is changed then.
    """
    with site_throttle(message.mode).locked(durable=False):
        using = router.db_for_write(OutboxMessage)
        found = OutboxMessage.objects.using(using).get(pk=message.pk)
        correction = correction_of(found)
        *deletions, creation = correction.messages(found.payload)
        customer = Reference(found.customer_source, found.customer_source_pk)
        creation = replace(creation, source=source_of(vars(found)), customer_source=customer)
        if correction.refused is not None:
            _cancel([correction.refused], CORRECTED.format(creation.payload["key"]), using)
        queue_replacement(correction.balance, [*deletions, creation], mode=found.mode)
        _remember(found, using, deleted=deletions[0] if deletions else None)
        _cancel([found], CORRECTED.format(creation.payload["key"]), using)
    message.refresh_from_db(using=using)


def forget_correction(cancelled: OutboxMessage, using: str) -> None:
    """
    After a message was cancelled, remember again what PartnerStack has, if it belonged to a correction.

    A correction is cancelled as a whole, with the corrections and refunds that are queued after it. If the
    payment may have been deleted already, PartnerStack has nothing of it.
    """
    if cancelled.operation not in (CREATE_TRANSACTION, DELETE_TRANSACTION) or is_original(cancelled):
        return
    history = payment_history(cancelled.subject, cancelled.mode, using)
    deletions = [each for each in history if _is_deletion_of(each, cancelled)]
    deletion = deletions[-1] if deletions else None
    if deletion is not None and not is_correction(deletion):
        return
    found = reported_payment(cancelled.subject, mode=cancelled.mode, using=using)
    if found is None or (deletion is None and not _is_whole(cancelled, found)):
        return
    is_deleted = deletion is None or (deletion != cancelled and may_have_arrived(deletion))
    content = NOTHING if deletion is None or is_deleted else _deleted_content(deletion, using)
    if deletion is not None and not is_deleted:
        _cancel([deletion], CORRECTION_CANCELLED, using)
    history = payment_history(cancelled.subject, cancelled.mode, using)
    later = [each for each in void_messages(history) if not is_original(each)]
    _cancel(later, CORRECTION_CANCELLED, using)
    ReportedKey.objects.using(using).filter(pk=found.pk).update(**content)


def _never_arrives(creation: OutboxMessage) -> bool:
    """Whether PartnerStack refused what replaces a payment."""
    is_creation = creation.operation == CREATE_TRANSACTION and creation.state == State.FAILED
    return is_creation and not may_have_arrived(creation)


def _remember(message: OutboxMessage, using: str, *, deleted: NewMessage | None) -> None:
    """The content of the message is what was reported; with its deletion, what it replaces."""
    keys = ReportedKey.objects.using(using).filter(mode=message.mode)
    payment = payment_dedupe_key(message.payload["key"])
    before = keys.filter(dedupe_key=payment).first()
    if before is None:
        return
    if deleted is not None:
        keys.filter(dedupe_key=deleted.dedupe_key).update(**content_of(before))
    now = key_columns({**vars(message), "dedupe_key": payment})
    keys.filter(pk=before.pk).update(conflict=None, **{name: now[name] for name in CONTENT})


def _is_deletion_of(deletion: OutboxMessage, message: OutboxMessage) -> bool:
    """Whether it is the message itself, or comes before the creation of a correction."""
    return deletion.operation == DELETE_TRANSACTION and deletion.pk <= message.pk


def _is_whole(creation: OutboxMessage, found: ReportedKey) -> bool:
    """Whether it creates the whole payment, and not the rest after a refund."""
    now = key_columns(vars(creation))
    return all(getattr(found, name) == now[name] for name in ("customer_key", "amount", "currency"))


def _deleted_content(deletion: OutboxMessage, using: str) -> dict[str, Any]:
    dedupe_key = OPERATIONS[DELETE_TRANSACTION].dedupe_key(deletion.payload)
    row = ReportedKey.objects.using(using).get(mode=deletion.mode, dedupe_key=dedupe_key)
    return content_of(row)


def _cancel(messages: list[OutboxMessage], reason: str, using: str) -> None:
    rows = OutboxMessage.objects.using(using).filter(pk__in=[each.pk for each in messages])
    rows = rows.exclude(state__in=(State.CANCELLED, State.DELIVERED, State.SENDING))
    rows.update(state=State.CANCELLED, reason=reason, finished_at=timezone.now(), next_try_at=None)
