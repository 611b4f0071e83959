"""
What an operator can do with a message: retry, hold, release, cancel, mark as delivered.

Each action locks the throttle row, so that no worker claims the message meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime

from django.db import router

from ...exceptions import InvalidTransition
from ...models import LaneStatus, OutboxLane, OutboxMessage, State
from ...throttle.throttle import site_throttle
from ..operations import OPERATIONS, UPDATE_CUSTOMER, creating_customers, customer_snapshots
from ..payments.corrections import forget_correction
from ..queue.conflicts import REPLACED
from ..queue.lanes import (
    BLOCKED_REASON,
    BLOCKING_STATES,
    WAITS_FOR_DELETION,
    behind_deletion,
    block,
    blocked_by,
    dependents,
    make_due,
    release_other_lanes,
    unblock,
)
from ..queue.once import holds_its_key
from ..queue.reported_keys import remember_reported
from ..queue.sequencing.customer_creation import is_attributed
from ..queue.sequencing.sequence import STATES, sequence_new_messages
from ..queue.sequencing.waiting import release_lanes

Change = Callable[[OutboxMessage, OutboxLane, datetime], None]

UNDELIVERED = frozenset(
    {
        State.SCHEDULED,
        State.UNCONFIRMED,
        State.ORGANIC,
        State.WAITING,
        State.BLOCKED,
        State.ON_HOLD,
        State.FAILED,
    }
)

#: The states in which each action is allowed. A queued message is sequenced first.
ALLOWED_STATES = {
    "retry": frozenset({State.FAILED, State.SCHEDULED, State.UNCONFIRMED, State.WAITING}),
    "hold": UNDELIVERED - {State.ON_HOLD, State.FAILED},
    "release": frozenset({State.ON_HOLD}),
    "cancel": UNDELIVERED,
    "mark_delivered": frozenset({State.ON_HOLD, State.FAILED, State.UNCONFIRMED}),
    "correct": frozenset({State.FAILED}),
}


def retry(message: OutboxMessage) -> None:
    """
    Send a failed or scheduled message now.

    An unconfirmed message is looked up first; if that is not possible it is put on hold. If it waits for its
    customer, the customer's source is asked again. An update of a customer is cancelled if newer data are
    queued. Raises InvalidTransition in other states.
    """
    _change(message, ALLOWED_STATES["retry"], _requeue)


def hold(message: OutboxMessage) -> None:
    """
    Do not send a message until it is released. Its dependents are blocked.

    Raises InvalidTransition in other states.
    """
    _change(message, ALLOWED_STATES["hold"], _park(State.ON_HOLD, "Put on hold by an operator."))


def release(message: OutboxMessage) -> None:
    """
    Send a message that is on hold.

    An unconfirmed message is looked up first. If that is not possible it is sent: the operator has
    checked that PartnerStack does not have it. Raises InvalidTransition in other states.
    """
    _change(message, ALLOWED_STATES["release"], _release)


def cancel(message: OutboxMessage) -> None:
    """
    Never send a message. Its dependents stay blocked. A correction of a payment is cancelled as a whole.

    Raises InvalidTransition in other states.
    """
    _change(message, ALLOWED_STATES["cancel"], _cancel)


def mark_delivered(message: OutboxMessage) -> None:
    """
    Record that PartnerStack has what a message reports, as checked by an operator. Releases its dependents.

    Raises InvalidTransition in other states.
    """
    _change(message, ALLOWED_STATES["mark_delivered"], _mark_delivered)


def _change(message: OutboxMessage, states: Collection[State], change: Change) -> None:
    with site_throttle(message.mode).locked(durable=False) as row:
        using = router.db_for_write(OutboxMessage)
        found = OutboxMessage.objects.using(using).get(pk=message.pk)
        while found.state == State.QUEUED:
            sequence_new_messages(found.mode, using, row.now, lane=found.lane)
            found.refresh_from_db(using=using)
        if change in SENDING and not holds_its_key(found):
            raise InvalidTransition(f"{found}: another message reports its key, so it must not be sent.")
        if found.state not in states:
            raise InvalidTransition(
                f"{found}: the message is {State(found.state).label}; this action is not possible now."
            )
        lane = OutboxLane.objects.using(using).get(mode=found.mode, key=found.lane)
        change(found, lane, row.now)
        make_due(lane, using, row.now)
    message.refresh_from_db(using=using)


def _requeue(message: OutboxMessage, lane: OutboxLane, now: datetime) -> None:
    using = router.db_for_write(OutboxMessage)
    if _is_outdated(message, using):
        message.state, message.reason, message.finished_at = State.CANCELLED, REPLACED, now
        message.save(using=using)
        return
    if message.operation in creating_customers() and is_attributed(message):
        _open(lane, using, now)
    message.state, message.reason = _state(message, lane, using)
    message.attempts, message.next_try_at, message.finished_at, message.look_up = 0, None, None, None
    message.save(using=using)
    _unblock_dependents(message, lane, using)


def _release(message: OutboxMessage, lane: OutboxLane, now: datetime) -> None:
    operation = OPERATIONS.get(message.operation)
    if operation is not None and operation.find is None:
        message.in_doubt_since = None
    _requeue(message, lane, now)


def _state(message: OutboxMessage, lane: OutboxLane, using: str) -> tuple[State, str]:
    """The state of a message that is no longer failed or on hold, and the reason."""
    if lane.status == LaneStatus.NEW:
        # Sequencing decides whether its customer is known, or organic.
        return State.QUEUED, ""
    if message.operation in creating_customers() and not is_attributed(message):
        return State.ORGANIC, "The customer has no partner."
    state = STATES[LaneStatus(lane.status)]
    row = OutboxMessage.objects.using(using).filter(pk=message.pk)
    if state == State.BLOCKED or blocked_by(row, BLOCKING_STATES).exists():
        return State.BLOCKED, BLOCKED_REASON
    if state == State.SCHEDULED and behind_deletion(row).exists():
        return State.BLOCKED, WAITS_FOR_DELETION
    return (State.UNCONFIRMED if message.in_doubt_since and state == State.SCHEDULED else state), ""


def _is_outdated(message: OutboxMessage, using: str) -> bool:
    """Whether it is an update of a customer and newer data are queued, or another message has its key."""
    operation = OPERATIONS.get(message.operation)
    if operation is not None and operation.dedupe_key(message.payload) and message.dedupe_key is None:
        return True
    newer = OutboxMessage.objects.using(using).filter(
        mode=message.mode, subject=message.subject, operation__in=customer_snapshots(), pk__gt=message.pk
    )
    return message.operation == UPDATE_CUSTOMER and newer.exclude(state=State.CANCELLED).exists()


def _park(state: State, reason: str) -> Change:
    def change(message: OutboxMessage, lane: OutboxLane, now: datetime) -> None:
        using = router.db_for_write(OutboxMessage)
        if message.state not in (State.ORGANIC, State.WAITING):
            # Those block nothing: nothing of their customer is sent.
            block(message, using)
            lane.refresh_from_db(using=using)
        message.state, message.reason, message.finished_at, message.next_try_at = state, reason, now, None
        message.save(using=using)

    return change


def _cancel(message: OutboxMessage, lane: OutboxLane, now: datetime) -> None:
    _park(State.CANCELLED, "Cancelled by an operator.")(message, lane, now)
    forget_correction(message, router.db_for_write(OutboxMessage))


def _mark_delivered(message: OutboxMessage, lane: OutboxLane, now: datetime) -> None:
    using = router.db_for_write(OutboxMessage)
    message.state, message.reason = State.DELIVERED, "Marked as delivered by an operator."
    message.finished_at, message.in_doubt_since, message.next_try_at = now, None, None
    message.save(using=using)
    remember_reported(message, using, now)
    if message.operation in creating_customers():
        _open(lane, using, now)
    _unblock_dependents(message, lane, using)
    release_other_lanes(message, using, now)


def _unblock_dependents(message: OutboxMessage, lane: OutboxLane, using: str) -> None:
    state = State.QUEUED if lane.status == LaneStatus.NEW else STATES[LaneStatus(lane.status)]
    if state != State.BLOCKED:
        unblock(dependents(message, using), to=state)


def _open(lane: OutboxLane, using: str, now: datetime) -> None:
    """Open a lane. Saves only its status, because a worker may be setting its due time."""
    lane.status = LaneStatus.OPEN
    lane.save(update_fields=["status"], using=using)
    release_lanes([lane.key], mode=lane.mode, using=using, now=now)


#: The changes after which a message may be sent, or counts as sent.
SENDING = frozenset({_requeue, _release, _mark_delivered})
