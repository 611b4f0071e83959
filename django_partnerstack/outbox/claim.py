"""Taking messages to send: the first of each lane that is due, marked as being sent before anything is."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import router
from django.db.models import DateTimeField, F, OuterRef, Subquery, Value
from django.db.models.functions import Coalesce

from ..models import OutboxLane, OutboxMessage, Standing, State
from .intake import take_in
from .line import Line

FLOWING = (Standing.COMING, Standing.CREATED)


@dataclass(frozen=True)
class Claimed:
    """A message that this worker alone may send: from ``send_at``, and until ``lease_until``."""

    message: OutboxMessage
    token: str
    send_at: datetime
    lease_until: datetime


@dataclass(frozen=True)
class Batch:
    """What was claimed; ``more``: there is more that is due, and it must wait for its slot."""

    claimed: tuple[Claimed, ...] = ()
    more: bool = False


def claim(
    line: Line,
    limit: int,
    *,
    lease: timedelta,
    lanes: Collection[str] | None = None,
) -> Batch:
    """
    Take in what is new, then up to ``limit`` messages for this worker, the first of each lane that is due.

    They are marked as being sent, with the end of the lease, and that is committed when this returns: a
    worker that dies leaves messages that the next one knows to look up first. ``lanes`` keeps to some lanes.
    """
    with line.locked() as row:
        using = router.db_for_write(OutboxMessage)
        take_in(line.mode, using, row.now)
        if line.is_closed(row):
            return Batch()
        heads = _heads(line.mode, using, row.now, 1 if row.probing else limit, lanes)
        slots = line.slots(row, len(heads))
        lease_until = row.now + lease
        if row.probing and slots:
            row.next_slot_at = lease_until
        token = uuid.uuid4().hex
        leaving = dict(list(heads.items())[: len(slots)])
        messages = _mark(leaving, using, row.now, lease_until, token)
    claimed = (Claimed(m, token, slot, lease_until) for m, slot in zip(messages, slots, strict=True))
    return Batch(tuple(claimed), more=len(heads) > len(slots))


def _heads(mode: str, using: str, now: datetime, limit: int, lanes: Collection[str] | None) -> dict[int, int]:
    """Lane → the message to send next. Lanes in which nothing waits are put to rest on the way."""
    due = OutboxLane.objects.using(using).filter(mode=mode, due_at__lte=now, standing__in=FLOWING)
    if lanes is not None:
        due = due.filter(key__in=lanes)
    lane = OutboxMessage.objects.using(using).filter(mode=mode, lane=OuterRef("key")).order_by("rank", "pk")
    under_way = lane.filter(state__in=(State.SENDING, State.UNKNOWN)).values("pk")[:1]
    waiting = lane.filter(state=State.READY).values("pk")[:1]
    found: dict[int, int] = {}
    while len(found) < limit:
        rows = due.order_by("due_at").annotate(head=Coalesce(Subquery(under_way), Subquery(waiting)))
        looked_at = list(rows.values_list("pk", "head")[: 2 * limit])
        found = {pk: message for pk, message in looked_at if message is not None}
        resting = [pk for pk, message in looked_at if message is None]
        if not resting:
            break
        OutboxLane.objects.using(using).filter(pk__in=resting).update(due_at=None)
    return dict(list(found.items())[:limit])


def _mark(
    heads: dict[int, int], using: str, now: datetime, lease_until: datetime, token: str
) -> list[OutboxMessage]:
    """Write down that these are being sent; one that was already has lost its worker, and is in doubt."""
    messages = OutboxMessage.objects.using(using).filter(pk__in=heads.values())
    messages.filter(state=State.SENDING).update(in_doubt_since=F("sent_at"))
    messages.update(
        state=State.SENDING,
        token=token,
        attempts=F("attempts") + 1,
        first_sent_at=Coalesce("first_sent_at", Value(now, output_field=DateTimeField())),
        sent_at=now,
        next_try_at=lease_until,
    )
    OutboxLane.objects.using(using).filter(pk__in=heads).update(due_at=lease_until)
    found = OutboxMessage.objects.using(using).in_bulk(heads.values())
    return [found[pk] for pk in heads.values()]
