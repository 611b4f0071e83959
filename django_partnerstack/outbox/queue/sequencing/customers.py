"""A customer's new data: whether they create the customer, update it, or replace a failed creation."""

from __future__ import annotations

from ....models import LaneStatus, OutboxLane, OutboxMessage, State
from ...operations import CREATE_CUSTOMER, UPDATE_CUSTOMER, creating_customers, customer_snapshots
from ..conflicts import REPLACED
from .batch import UNCREATED, Batch
from .customer_creation import ANOTHER_CUSTOMER, Creation, creation_of


def sequence_customer(message: OutboxMessage, lane: OutboxLane, batch: Batch) -> None:
    """A creation if PartnerStack does not have the customer yet, else an update."""
    message.operation = UPDATE_CUSTOMER
    if lane.status == LaneStatus.BLOCKED:
        _replace_failed(message, lane, batch)
    elif lane.status in UNCREATED:
        if lane.key in batch.mirrored and not batch.difference(message.payload, lane):
            batch.open(lane)
        else:
            _create(message, lane, batch)


def _creation(message: OutboxMessage, batch: Batch) -> Creation:
    return creation_of(message.payload, batch.attributions.get(message.subject))


def _create(message: OutboxMessage, lane: OutboxLane, batch: Batch) -> None:
    """Let the message create the customer. It is organic if no partner is known."""
    creation = _creation(message, batch)
    message.operation, message.priority = creation.operation or CREATE_CUSTOMER, 0
    message.attributed_to, message.reason = creation.attributed_to, creation.reason
    if creation.operation:
        batch.open(lane)
    elif difference := batch.difference(message.payload, lane):
        # Nothing can be sent without a partner, and an organic customer would hide the conflict.
        lane.status = LaneStatus.BLOCKED
        message.reason = ANOTHER_CUSTOMER.format(message.subject, difference)
    else:
        batch.make_organic(lane)


def _replace_failed(message: OutboxMessage, lane: OutboxLane, batch: Batch) -> None:
    """Replace a failed creation of a customer by its newer data, or let them follow it as an update."""
    creations = batch.messages.filter(lane=lane.key, operation__in=creating_customers())
    failed = creations.filter(state=State.FAILED).first()
    creation = _creation(message, batch)
    if failed is None or not creation.operation:
        return
    older = batch.messages.filter(lane=lane.key, operation__in=customer_snapshots(), pk__lt=message.pk)
    older.filter(state=State.BLOCKED).update(state=State.CANCELLED, reason=REPLACED)
    if failed.in_doubt_since is None:
        reason = f"{REPLACED} {failed.reason}"
        creations.filter(pk=failed.pk).update(state=State.CANCELLED, reason=reason)
        _create(message, lane, batch)
        return
    # An attempt may have created the customer with the older data, so a look-up must compare those.
    partner_key = message.payload.get("partner_key")
    named = {"partner_key": partner_key} if partner_key else {}
    creations.filter(pk=failed.pk).update(
        operation=creation.operation,
        attributed_to=creation.attributed_to or named,
        state=State.UNCONFIRMED,
        reason=failed.reason,
        attempts=0,
        next_try_at=None,
        finished_at=None,
    )
    batch.open(lane)
