"""Taking messages to send: the first of each lane that is due, marked as being sent before anything is."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import router
from django.db.models import Case, DateTimeField, Exists, F, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce

from ..models import OutboxLane, OutboxMessage, Standing, State
from .intake import take_in
from .line import Line


@dataclass(frozen=True)
class Claimed:
    """A message that this worker alone may send: from ``send_at``, and until ``lease_until``."""

    message: OutboxMessage
    token: str
    send_at: datetime
    lease_until: datetime


@dataclass(frozen=True)
class Batch:
    """What was claimed; ``more``: there is more to take in, or that is due and must wait for its slot."""

    claimed: tuple[Claimed, ...] = ()
    more: bool = False


def claim(line: Line, limit: int, *, lease: timedelta, lanes: Collection[str] | None = None) -> Batch:
    """
    Take in what is new, then up to ``limit`` messages for this worker, the first of each lane that is due.

    They are marked as being sent, with the end of the lease, and that is committed when this returns: a
    worker that dies leaves messages that the next one knows to look up first. ``lanes`` keeps to some lanes.
    """
    with line.locked() as row:
        using = router.db_for_write(OutboxMessage)
        more = take_in(line.mode, using, row.now)
        _wake(line, using, row.now)
        if line.is_closed(row) or not limit:
            return Batch()
        heads = _heads(line.mode, using, row.now, 1 if row.probing else limit, lanes)
        slots = line.slots(row, len(heads))
        lease_until = row.now + lease
        if row.probing and slots:
            row.next_slot_at = lease_until
        token = uuid.uuid4().hex
        messages = _mark(heads[: len(slots)], using, row.now, lease_until, token)
    claimed = (Claimed(m, token, slot, lease_until) for m, slot in zip(messages, slots, strict=False))
    return Batch(tuple(claimed), more=more or len(heads) > len(slots))


@dataclass(frozen=True)
class Head:
    """The message to send next of a lane. ``lost``: it was being sent when its worker's lease ended."""

    lane: int
    message: int
    lost: bool


def _wake(line: Line, using: str, now: datetime) -> None:
    """
    Make the lanes due of which this process has delivered the first message, if there is a next one.

    Where the lease has ended meanwhile the lane is somebody else's. If the process dies before it gets here,
    the lane is due when the lease ends.
    """
    delivered = line.take_delivered()
    if delivered:
        lanes = OutboxLane.objects.using(using).filter(
            mode=line.mode,
            key__in=[lane for lane, _ in delivered],
            due_at__in={lease for _, lease in delivered},
        )
        going = (State.SENDING, State.UNKNOWN, State.READY)
        waiting = Exists(_messages_of_lane(line.mode, using).filter(state__in=going))
        lanes.update(due_at=Case(When(waiting, then=Value(now)), default=None, output_field=DateTimeField()))


def _heads(mode: str, using: str, now: datetime, limit: int, lanes: Collection[str] | None) -> list[Head]:
    """The first messages of lanes that are due. Lanes in which nothing waits are put to rest on the way."""
    due = OutboxLane.objects.using(using).filter(mode=mode, due_at__lte=now, standing=Standing.OPEN)
    if lanes is not None:
        due = due.filter(key__in=lanes)
    messages = _messages_of_lane(mode, using).order_by("rank", "pk").values("pk")
    rows = due.order_by("due_at").annotate(
        lost=Subquery(messages.filter(state=State.SENDING)[:1]),
        unknown=Subquery(messages.filter(state=State.UNKNOWN)[:1]),
        ready=Subquery(messages.filter(state=State.READY)[:1]),
    )
    while True:
        looked_at = list(rows.values_list("pk", "lost", "unknown", "ready")[:limit])
        resting = [lane for lane, *messages in looked_at if not any(messages)]
        if not resting:
            return [
                Head(lane, lost or unknown or ready, bool(lost)) for lane, lost, unknown, ready in looked_at
            ]
        OutboxLane.objects.using(using).filter(pk__in=resting).update(due_at=None)


def _messages_of_lane(mode: str, using: str) -> QuerySet[OutboxMessage]:
    return OutboxMessage.objects.using(using).filter(mode=mode, lane=OuterRef("key"))


def _mark(
    heads: list[Head], using: str, now: datetime, lease_until: datetime, token: str
) -> list[OutboxMessage]:
    """
    Write down that these are being sent; one that was already has lost its worker, and is in doubt.

    Its worker may be writing the result down at this very moment, and then it is not taken.
    """
    rows = OutboxMessage.objects.using(using).filter(pk__in=[head.message for head in heads])
    lost = Q(state=State.SENDING, next_try_at__lte=now)
    if any(head.lost for head in heads):
        rows.filter(lost).update(
            in_doubt_since=F("next_try_at"), first_doubt_at=Coalesce("first_doubt_at", "next_try_at")
        )
    rows.filter(Q(state__in=(State.UNKNOWN, State.READY)) | lost).update(
        state=State.SENDING,
        token=token,
        attempts=F("attempts") + 1,
        first_sent_at=Coalesce("first_sent_at", Value(now, output_field=DateTimeField())),
        sent_at=now,
        next_try_at=lease_until,
    )
    found = rows.filter(token=token).in_bulk()
    taken = [head for head in heads if head.message in found]
    OutboxLane.objects.using(using).filter(pk__in=[head.lane for head in taken]).update(due_at=lease_until)
    return [found[head.message] for head in taken]
