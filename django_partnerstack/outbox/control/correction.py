"""Correcting a payment that PartnerStack has, after its amount, currency or customer changed on the site."""

from __future__ import annotations

from dataclasses import replace

from django.db import router
from django.utils import timezone

from ...exceptions import InvalidTransition, RefundError
from ...models import OutboxMessage, State
from ...throttle.throttle import site_throttle
from ..keys import number_of
from ..operations import CREATE_TRANSACTION
from ..queue.messages import forget_refused
from ..queue.once import is_other_object, key_of, replace_key
from ..refunds import Balance, queue_replacement, refundable_balance
from .actions import holds_its_key

CORRECTED = "Replaced by a correction: PartnerStack gets it under the key {}."


def is_correction(message: OutboxMessage) -> bool:
    """
    Whether a failed message only shows how a payment differs from what was reported under its key.

    False if the key was used for another object: that one is no content of this payment.
    """
    is_payment = message.operation == CREATE_TRANSACTION and message.state == State.FAILED
    if not is_payment or holds_its_key(message) or number_of(message.payload["key"]):
        return False
    found = key_of(message, router.db_for_write(OutboxMessage))
    mine = {
        "source": message.source,
        "source_pk": message.source_pk,
        "customer_key": message.payload["customer_external_key"],
    }
    return found is None or not is_other_object(found, mine)


def correctable_balance(message: OutboxMessage) -> Balance:
    """
    What was reported and is to be replaced.

    Raises InvalidTransition for a message that corrects nothing, and RefundError for a payment that was
    refunded, also in part: what is to be left of it is not known.
    """
    if not is_correction(message):
        raise InvalidTransition(f"{message} does not differ from a reported payment.")
    key = message.payload["key"]
    balance = refundable_balance(key, mode=message.mode)
    if balance.refunded:
        raise RefundError(f"{key} was refunded in part; correct it at PartnerStack.")
    return balance


def correct_payment(message: OutboxMessage) -> None:
    """
    Replace a reported payment by the content of a message that differs from it.

    Like a refund: the payment is deleted at PartnerStack, and created again under a derived key. The message
    itself is cancelled. From now on the new content is what was reported: saving the payment again queues
    nothing. Raises the errors of ``correctable_balance``; nothing is changed then.
    """
    with site_throttle(message.mode).locked(durable=False):
        using = router.db_for_write(OutboxMessage)
        found = OutboxMessage.objects.using(using).get(pk=message.pk)
        balance = correctable_balance(found)
        deletion, creation = balance.correction_messages(found.payload)
        source = (found.source, found.source_pk)
        customer_source = (found.customer_source, found.customer_source_pk)
        creation = replace(creation, source=source, customer_source=customer_source)
        replace_key(found, using)
        forget_refused(found, using)
        queue_replacement(balance, [deletion, creation], mode=found.mode)
        found.state, found.finished_at = State.CANCELLED, timezone.now()
        found.reason = CORRECTED.format(creation.payload["key"])
        found.save(using=using, update_fields=["state", "reason", "finished_at"])
    message.refresh_from_db()
