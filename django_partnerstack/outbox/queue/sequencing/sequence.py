"""
Sequencing a batch of new messages.

Only this room decides whether a customer's data are a creation or an update, and whether a new message is
blocked or waits for its customer. How a customer is created, or that it is organic, is decided in
``customer_creation``.
"""

from __future__ import annotations

from datetime import datetime

from ....models import LaneStatus, OutboxLane, OutboxMessage, State
from ...operations import SAVE_CUSTOMER, creating_customers
from ..forgetting.late import without_forgotten
from ..lanes import BLOCKED_REASON
from ..reported_keys import source_of
from ..source_failures import forget_failures
from .batch import Batch
from .customers import sequence_customer
from .introduction import Introductions
from .isolation import isolated

#: Messages sequenced at a time.
BATCH = 500

#: The state of a message by the status of its lane.
STATES = {
    LaneStatus.NEW: State.WAITING,
    LaneStatus.ORGANIC: State.ORGANIC,
    LaneStatus.OPEN: State.SCHEDULED,
    LaneStatus.BLOCKED: State.BLOCKED,
}


def sequence_new_messages(mode: str, using: str, now: datetime, *, lane: str | None = None) -> bool:
    """
    Sequence a batch of queued messages, or those of one ``lane``. Call it with the throttle row locked.

    Returns whether more may be queued.
    """
    new = OutboxMessage.objects.using(using).filter(mode=mode, state=State.QUEUED)
    if lane is not None:
        new = new.filter(lane=lane)
    pks = list(new.order_by("pk").values_list("pk", flat=True)[:BATCH])
    rows = OutboxMessage.objects.using(using).order_by("pk")
    isolated(pks, using, lambda part: _sequence(list(rows.filter(pk__in=part)), mode, using, now))
    return len(pks) == BATCH


def _sequence(messages: list[OutboxMessage], mode: str, using: str, now: datetime) -> None:
    """Sequence messages with a bounded number of queries."""
    batch = Batch(messages, mode, using, now)
    introductions = Introductions(messages, batch)
    # Before they get other operations.
    reported = {(each.operation, source_of(vars(each))): each.pk for each in messages}
    messages = without_forgotten(messages, batch)
    introduced = []
    for message in messages:
        lane = batch.lanes[message.lane]
        if message.operation == SAVE_CUSTOMER:
            sequence_customer(message, lane, batch)
        elif (customer := introductions.introduce(message, lane)) is not None:
            customer.state = _state(customer, lane)
            introduced.append(customer)
        _place(message, lane, batch)
    reported |= {(SAVE_CUSTOMER, source_of(vars(customer))): 0 for customer in introduced}
    OutboxMessage.objects.using(using).bulk_create(introduced)
    batch.save(messages)
    forget_failures(reported, mode=mode, using=using)


def _place(message: OutboxMessage, lane: OutboxLane, batch: Batch) -> None:
    """Give a message its state, and make its lane due."""
    message.state = _state(message, lane)
    if message.pk in batch.blocked:
        message.state = State.BLOCKED
    elif message.pk in batch.organic:
        message.state, message.reason = State.ORGANIC, "Its payment was not reported."
    if message.state == State.BLOCKED:
        message.reason = BLOCKED_REASON
    if message.state == State.SCHEDULED and lane.due_at is None:
        lane.due_at = batch.now


def _state(message: OutboxMessage, lane: OutboxLane) -> State:
    """A creation never depends on another message: in a blocked lane it is what blocks the others."""
    if lane.status == LaneStatus.BLOCKED and message.operation in creating_customers():
        return State.FAILED
    return STATES[LaneStatus(lane.status)]
