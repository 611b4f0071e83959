"""What a person may do with a message. The line is locked, so that nothing crosses with a worker's claim."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime

from django.db import router
from django.db.models import Exists

from ..exceptions import PartnerStackError
from ..models import OutboxLane, OutboxMessage, Standing, State
from .credit import credited
from .followers import BEHIND, STUCK, behind, block, followers, unblock
from .intake import PLACES, REPLACED, take_in
from .operations import CREATE_CUSTOMER, CUSTOMER_SNAPSHOTS, OPERATIONS
from .organic import release_organic
from .push import site_line

Change = Callable[[OutboxMessage, OutboxLane, datetime], None]

WAITING = frozenset({State.READY, State.UNKNOWN, State.ORGANIC, State.BLOCKED, State.HELD, State.DEAD})

#: What can be done in which states. A message that was just queued is first taken into its lane.
POSSIBLE = {
    "retry": frozenset({State.DEAD, State.READY, State.UNKNOWN}),
    "hold": WAITING - {State.HELD, State.DEAD},
    "release": frozenset({State.HELD}),
    "cancel": WAITING,
    "mark_delivered": frozenset({State.HELD, State.DEAD, State.UNKNOWN}),
}


class NotPossible(PartnerStackError):
    """That cannot be done with a message in its state; the text says which."""


def retry(message: OutboxMessage) -> None:
    """
    Let a message that is dead, or waits for its next attempt, go at once.

    One that PartnerStack may have carried out is looked up first, as ever; where nothing can be looked up it
    is held. A customer's older data are cancelled if newer ones have been queued.
    """
    _change(message, POSSIBLE["retry"], _let_go)


def hold(message: OutboxMessage) -> None:
    """Keep a message back until it is released; what needs it waits."""
    _change(message, POSSIBLE["hold"], _set_aside(State.HELD, "Held by hand."))


def release(message: OutboxMessage) -> None:
    """
    Let a held message go.

    One that PartnerStack may have carried out is looked up first. Where nothing can be looked up it is sent:
    whoever releases it has made sure that PartnerStack does not have it.
    """
    _change(message, POSSIBLE["release"], _release)


def cancel(message: OutboxMessage) -> None:
    """Never send a message; what needs it stays blocked."""
    _change(message, POSSIBLE["cancel"], _set_aside(State.CANCELLED, "Cancelled by hand."))


def mark_delivered(message: OutboxMessage) -> None:
    """Take a person's word that PartnerStack has it; what needs it goes on."""
    _change(message, POSSIBLE["mark_delivered"], _believe)


def _change(message: OutboxMessage, states: Collection[State], change: Change) -> None:
    with site_line(message.mode).locked(durable=False) as row:
        using = router.db_for_write(OutboxMessage)
        found = OutboxMessage.objects.using(using).get(pk=message.pk)
        while found.state == State.NEW:
            take_in(found.mode, using, row.now, lane=found.lane)
            found.refresh_from_db(using=using)
        if found.state not in states:
            raise NotPossible(f"{found} is {State(found.state).label}; that cannot be done with it now.")
        lane = OutboxLane.objects.using(using).get(mode=found.mode, key=found.lane)
        change(found, lane, row.now)
        _wake(lane, using, row.now)
    message.refresh_from_db()


def _let_go(message: OutboxMessage, lane: OutboxLane, now: datetime) -> None:
    using = router.db_for_write(OutboxMessage)
    if _is_outdated(message, using):
        message.state, message.reason, message.finished_at = State.CANCELLED, REPLACED, now
        message.save(using=using)
        return
    if message.operation in CREATE_CUSTOMER and credited(message):
        _open(lane, using, now)
    message.state, message.reason = _place(message, lane, using)
    message.attempts, message.next_try_at, message.finished_at = 0, None, None
    message.save(using=using)
    _unblock_followers(message, lane, using)


def _release(message: OutboxMessage, lane: OutboxLane, now: datetime) -> None:
    operation = OPERATIONS.get(message.operation)
    if operation is not None and operation.find is None:
        message.in_doubt_since = None
    _let_go(message, lane, now)


def _place(message: OutboxMessage, lane: OutboxLane, using: str) -> tuple[State, str]:
    """Where it belongs now, and why."""
    if lane.standing == Standing.NEW:
        # Whether it has a customer is found out when it is taken in again.
        return State.NEW, ""
    if message.operation in CREATE_CUSTOMER and not credited(message):
        return State.ORGANIC, "The customer has no partner."
    place = PLACES[Standing(lane.standing)]
    stuck = behind(OutboxMessage.objects.using(using).filter(pk=message.pk), STUCK)
    if place == State.BLOCKED or stuck.exists():
        return State.BLOCKED, BEHIND
    return (State.UNKNOWN if message.in_doubt_since and place == State.READY else place), ""


def _is_outdated(message: OutboxMessage, using: str) -> bool:
    """Whether these are a customer's data and newer ones were queued."""
    newer = OutboxMessage.objects.using(using).filter(
        mode=message.mode, subject=message.subject, operation__in=CUSTOMER_SNAPSHOTS, pk__gt=message.pk
    )
    return message.operation == "customers.update" and newer.exclude(state=State.CANCELLED).exists()


def _set_aside(state: State, reason: str) -> Change:
    def change(message: OutboxMessage, lane: OutboxLane, now: datetime) -> None:
        using = router.db_for_write(OutboxMessage)
        if message.state != State.ORGANIC:
            # Of an organic customer nothing leaves anyway.
            block(message, using)
            lane.refresh_from_db(using=using)
        message.state, message.reason, message.finished_at, message.next_try_at = state, reason, now, None
        message.save(using=using)

    return change


def _believe(message: OutboxMessage, lane: OutboxLane, now: datetime) -> None:
    using = router.db_for_write(OutboxMessage)
    message.state, message.reason, message.finished_at = State.DELIVERED, "Marked as delivered by hand.", now
    message.in_doubt_since, message.next_try_at = None, None
    message.save(using=using)
    if message.operation in CREATE_CUSTOMER:
        _open(lane, using, now)
    _unblock_followers(message, lane, using)


def _unblock_followers(message: OutboxMessage, lane: OutboxLane, using: str) -> None:
    place = State.NEW if lane.standing == Standing.NEW else PLACES[Standing(lane.standing)]
    if place != State.BLOCKED:
        unblock(followers(message, using), to=place)


def _open(lane: OutboxLane, using: str, now: datetime) -> None:
    """Of a lane the standing alone: a worker that has just delivered may be setting the due time."""
    lane.standing = Standing.OPEN
    lane.save(update_fields=["standing"], using=using)
    release_organic([lane.key], mode=lane.mode, using=using, now=now)


def _wake(lane: OutboxLane, using: str, now: datetime) -> None:
    """Make a lane due, unless a message of it is being sent: then it becomes due by itself."""
    sending = OutboxMessage.objects.using(using).filter(mode=lane.mode, lane=lane.key, state=State.SENDING)
    lanes = OutboxLane.objects.using(using).filter(~Exists(sending), pk=lane.pk, standing=Standing.OPEN)
    lanes.update(due_at=now)
