"""
Claiming: leasing the first message of each due lane to a worker.

A claim commits "sending" before anything is sent, so that the next worker looks up the message of a worker
that died. A claim locks the shared throttle row, so claims happen one after the other on every database.
"""

from __future__ import annotations

import uuid
from collections import deque
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import router
from django.db.models import (
    BooleanField,
    Case,
    DateTimeField,
    Exists,
    ExpressionWrapper,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce

from ...models import (
    Attempt,
    AttemptKind,
    AttemptOutcome,
    LaneStatus,
    OutboxLane,
    OutboxMessage,
    State,
    ThrottleState,
)
from ...throttle.clock import Now
from ...throttle.throttle import Throttle
from .sequencing.sequence import sequence_new_messages

NO_OUTCOME = "The worker stopped, or lost the database, before its lease expired at {:%H:%M:%S %Z}."


def lease_time(request_seconds: float) -> timedelta:
    """How long a worker may send a claimed message: time for a look-up, a request and some reserve."""
    return timedelta(seconds=3 * request_seconds + 5)


@dataclass(frozen=True)
class Claimed:
    """A message that only this worker may send: from ``send_at``, until ``lease_expires_at``."""

    message: OutboxMessage
    lease_token: str
    send_at: datetime
    lease_expires_at: datetime


@dataclass(frozen=True)
class Batch:
    """The claimed messages. ``more``: others are queued, or due and waiting for a slot."""

    claimed: tuple[Claimed, ...] = ()
    more: bool = False


class DeliveredLanes:
    """Lanes whose first message this process has delivered. The next claim makes them due. Thread-safe."""

    def __init__(self) -> None:
        self._lanes: deque[tuple[str, datetime]] = deque()

    def add(self, claimed: Claimed) -> None:
        self._lanes.append((claimed.message.lane, claimed.lease_expires_at))

    def take(self) -> list[tuple[str, datetime]]:
        return [self._lanes.popleft() for _ in range(len(self._lanes))]


def claim(
    throttle: Throttle,
    delivered: DeliveredLanes,
    limit: int,
    *,
    lease: timedelta,
    lanes: Collection[str] | None = None,
) -> Batch:
    """
    Sequence new messages, then lease up to ``limit`` due messages, the first of each lane.

    Commits their state "sending" before it returns. ``lanes``: claim only from these lanes.
    """
    with throttle.locked() as row:
        using = router.db_for_write(OutboxMessage)
        more = sequence_new_messages(throttle.mode, using, row.now)
        _make_due(throttle.mode, delivered, using, row.now)
        if throttle.is_open(row) or not limit:
            return Batch()
        heads = _heads(throttle.mode, using, row.now, 1 if row.half_open else limit, lanes)
        slots = throttle.slots(row, len(heads))
        lease_expires_at = row.now + lease
        if row.half_open and slots:
            # Only the probe is sent: nothing else gets a slot before its lease expires.
            row.next_slot_at = lease_expires_at
        token = uuid.uuid4().hex
        messages = _mark_sending(heads[: len(slots)], using, row.now, lease_expires_at, token)
    claimed = (
        Claimed(message, token, slot, lease_expires_at)
        for message, slot in zip(messages, slots, strict=False)
    )
    return Batch(tuple(claimed), more=more or len(heads) > len(slots))


def is_anything_due(mode: str) -> bool:
    """Whether a worker may find something to send, by one query. True until the first claim in this mode."""
    using = router.db_for_write(OutboxMessage)
    new = OutboxMessage.objects.using(using).filter(mode=mode, state=State.QUEUED)
    due = OutboxLane.objects.using(using).filter(mode=mode, due_at__lte=Now())
    either = ExpressionWrapper(Q(Exists(new)) | Q(Exists(due)), BooleanField())
    # Selected from a table of one row, because MariaDB would evaluate all of a union.
    found = ThrottleState.objects.using(using).filter(mode=mode).values_list(either, flat=True).first()
    return found is None or found


@dataclass(frozen=True)
class Head:
    """The next message of a lane. ``lost``: its worker's lease expired while it was being sent."""

    lane: int
    message: int
    lost: bool


def _make_due(mode: str, delivered: DeliveredLanes, using: str, now: datetime) -> None:
    """
    Make the lanes of delivered messages due if another message is next in them.

    Skips a lane whose lease has expired: another worker may have it. If this process dies first, the lane is
    due when the lease expires.
    """
    taken = delivered.take()
    if taken:
        lanes = OutboxLane.objects.using(using).filter(
            mode=mode, key__in=[lane for lane, _ in taken], due_at__in={expiry for _, expiry in taken}
        )
        sendable = (State.SENDING, State.UNCONFIRMED, State.SCHEDULED)
        has_next = Exists(_messages_of_lane(mode, using).filter(state__in=sendable))
        lanes.update(due_at=Case(When(has_next, then=Value(now)), default=None, output_field=DateTimeField()))


def _heads(mode: str, using: str, now: datetime, limit: int, lanes: Collection[str] | None) -> list[Head]:
    """The first messages of due lanes. Clears the due time of lanes without a message to send."""
    due = OutboxLane.objects.using(using).filter(mode=mode, due_at__lte=now, status=LaneStatus.OPEN)
    if lanes is not None:
        due = due.filter(key__in=lanes)
    messages = _messages_of_lane(mode, using).order_by("priority", "pk").values("pk")
    rows = due.order_by("due_at").annotate(
        lost=Subquery(messages.filter(state=State.SENDING)[:1]),
        unconfirmed=Subquery(messages.filter(state=State.UNCONFIRMED)[:1]),
        scheduled=Subquery(messages.filter(state=State.SCHEDULED)[:1]),
    )
    while True:
        found = list(rows.values_list("pk", "lost", "unconfirmed", "scheduled")[:limit])
        empty = [lane for lane, *messages in found if not any(messages)]
        if not empty:
            return [
                Head(lane, lost or unconfirmed or scheduled, bool(lost))
                for lane, lost, unconfirmed, scheduled in found
            ]
        OutboxLane.objects.using(using).filter(pk__in=empty).update(due_at=None)


def _messages_of_lane(mode: str, using: str) -> QuerySet[OutboxMessage]:
    return OutboxMessage.objects.using(using).filter(mode=mode, lane=OuterRef("key"))


def _mark_sending(
    heads: list[Head], using: str, now: datetime, lease_expires_at: datetime, token: str
) -> list[OutboxMessage]:
    """
    Mark messages as "sending", with a new lease token. If a message was already "sending", its worker was
    lost, so it is in doubt.

    Skips a message whose worker is just writing its outcome back.
    """
    rows = OutboxMessage.objects.using(using).filter(pk__in=[head.message for head in heads])
    lost = Q(state=State.SENDING, lease_expires_at__lte=now)
    before: list[OutboxMessage] = []
    if any(head.lost for head in heads):
        before = list(rows.filter(lost))
        rows.filter(lost).update(
            in_doubt_since=F("lease_expires_at"),
            first_in_doubt_at=Coalesce("first_in_doubt_at", "lease_expires_at"),
        )
    rows.filter(Q(state__in=(State.UNCONFIRMED, State.SCHEDULED)) | lost).update(
        state=State.SENDING,
        lease_token=token,
        lease_expires_at=lease_expires_at,
        next_try_at=None,
        attempts=F("attempts") + 1,
        first_sent_at=Coalesce("first_sent_at", Value(now, output_field=DateTimeField())),
        sent_at=now,
    )
    found = rows.filter(lease_token=token).in_bulk()
    _record_lost([each for each in before if _was_lost(each, found.get(each.pk))], using)
    taken = [head for head in heads if head.message in found]
    OutboxLane.objects.using(using).filter(pk__in=[head.lane for head in taken]).update(
        due_at=lease_expires_at
    )
    return [found[head.message] for head in taken]


def _was_lost(before: OutboxMessage, claimed: OutboxMessage | None) -> bool:
    """False if its worker wrote the outcome back after all, before this worker claimed the message."""
    return claimed is not None and claimed.in_doubt_since == before.lease_expires_at


def _record_lost(messages: list[OutboxMessage], using: str) -> None:
    """Record the attempts of lost workers, of which nothing is known but when they began."""
    Attempt.objects.using(using).bulk_create(
        Attempt(
            message_id=message.pk,
            mode=message.mode,
            kind=AttemptKind.SEND,
            number=message.attempts,
            started_at=message.sent_at or message.queued_at,
            requests=0,
            error=NO_OUTCOME.format(message.lease_expires_at),
            outcome=AttemptOutcome.LOST,
        )
        for message in messages
    )
