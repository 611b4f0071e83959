"""What a person may do with a message. The line is locked, so that nothing crosses with a worker's claim."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime

from django.db import router
from django.db.models import Exists

from ..exceptions import PartnerStackError
from ..models import OutboxLane, OutboxMessage, Standing, State
from .finish import block_followers, followers
from .intake import PLACES, take_in
from .operations import OPERATIONS
from .push import site_line

Change = Callable[[OutboxMessage, OutboxLane, datetime], None]

WAITING = frozenset({State.READY, State.UNKNOWN, State.ORGANIC, State.BLOCKED, State.HELD, State.DEAD})


class NotPossible(PartnerStackError):
    """That cannot be done with a message in its state; the text says which."""


def retry(message: OutboxMessage) -> None:
    """
    Let a message that is dead, or waits for its next attempt, go at once.

    One that PartnerStack may have carried out is looked up first, as ever.
    """
    _change(message, {State.DEAD, State.READY, State.UNKNOWN}, _let_go)


def hold(message: OutboxMessage) -> None:
    """Keep a message back until it is released; what needs it waits."""
    _change(message, WAITING - {State.HELD, State.DEAD}, _set_aside(State.HELD, "Held by hand."))


def release(message: OutboxMessage) -> None:
    """
    Let a held message go.

    One that PartnerStack may have carried out is looked up first. Where nothing can be looked up it is sent:
    whoever releases it has made sure that PartnerStack does not have it.
    """
    _change(message, {State.HELD}, _let_go)


def cancel(message: OutboxMessage) -> None:
    """Never send a message; what needs it stays blocked."""
    _change(message, WAITING, _set_aside(State.CANCELLED, "Cancelled by hand."))


def mark_delivered(message: OutboxMessage) -> None:
    """Take a person's word that PartnerStack has it; what needs it goes on."""
    _change(message, {State.HELD, State.DEAD, State.UNKNOWN}, _believe)


def _change(message: OutboxMessage, states: Collection[State], change: Change) -> None:
    with site_line(message.mode).locked() as row:
        using = router.db_for_write(OutboxMessage)
        found = OutboxMessage.objects.using(using).get(pk=message.pk)
        if found.state == State.NEW:
            take_in(found.mode, using, row.now)
            found.refresh_from_db()
        if found.state not in states:
            raise NotPossible(f"{found} is {State(found.state).label}; that cannot be done with it now.")
        lane = OutboxLane.objects.using(using).get(mode=found.mode, key=found.lane)
        change(found, lane, row.now)
        found.save(using=using)
        lane.save(using=using)
        _wake(lane, using, row.now)
    message.refresh_from_db()


def _let_go(message: OutboxMessage, lane: OutboxLane, now: datetime) -> None:
    operation = OPERATIONS[message.operation]
    if operation.find is None:
        message.in_doubt_since = None
    if operation.creates_customer:
        lane.standing = Standing.OPEN
    place = PLACES[Standing(lane.standing)]
    message.state = State.UNKNOWN if message.in_doubt_since and place == State.READY else place
    message.attempts, message.reason, message.next_try_at, message.finished_at = 0, "", None, None
    _unblock(message)


def _set_aside(state: State, reason: str) -> Change:
    def change(message: OutboxMessage, lane: OutboxLane, now: datetime) -> None:
        message.state, message.reason, message.finished_at, message.next_try_at = state, reason, now, None
        operation = OPERATIONS[message.operation]
        block_followers(operation, message, router.db_for_write(OutboxMessage))
        if operation.creates_customer and lane.standing == Standing.OPEN:
            lane.standing, lane.due_at = Standing.BLOCKED, None

    return change


def _believe(message: OutboxMessage, lane: OutboxLane, now: datetime) -> None:
    message.state, message.reason, message.finished_at = State.DELIVERED, "Marked as delivered by hand.", now
    if OPERATIONS[message.operation].creates_customer:
        lane.standing = Standing.OPEN
    _unblock(message)


def _unblock(message: OutboxMessage) -> None:
    using = router.db_for_write(OutboxMessage)
    blocked = followers(OPERATIONS[message.operation], message, using).filter(state=State.BLOCKED)
    blocked.update(state=State.READY, reason="")


def _wake(lane: OutboxLane, using: str, now: datetime) -> None:
    """Make a lane due, unless a message of it is being sent: then it becomes due by itself."""
    sending = OutboxMessage.objects.using(using).filter(mode=lane.mode, lane=lane.key, state=State.SENDING)
    OutboxLane.objects.using(using).filter(~Exists(sending), pk=lane.pk).update(due_at=now)
