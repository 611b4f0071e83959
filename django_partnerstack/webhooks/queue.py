"""The events that wait to be processed: claiming them, and what becomes of a claimed event."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import router
from django.db.models import Min, Q, QuerySet

from ..models import WebhookEvent, WebhookState

#: How long a worker may process the events that it has claimed. Then another worker may claim them.
LEASE = timedelta(seconds=90)

#: No read starts when less than this is left of the lease.
RESERVE = timedelta(seconds=45)

#: The delay before each further attempt; the last is repeated.
DELAYS = tuple(timedelta(seconds=seconds) for seconds in (2, 5, 10, 20, 40, 60, 120, 300, 600))

#: After this many attempts an event is failed.
MOST_ATTEMPTS = 15


def events() -> QuerySet[WebhookEvent]:
    """The events in the database that they are written to; a replica may lag behind."""
    return WebhookEvent.objects.using(router.db_for_write(WebhookEvent))


def next_due(mode: str, now: datetime) -> datetime | None:
    """
    When the next event of a mode is due, by one query; it may be past. None: no event waits.

    An event that a worker has claimed is due when the worker's lease expires.
    """
    waiting = events().filter(mode=mode, state=WebhookState.RECEIVED)
    due: datetime | None = waiting.order_by().aggregate(due=Min("due_at"))["due"]
    return due


def claim(mode: str, limit: int, now: datetime) -> list[WebhookEvent]:
    """Lease due events to this worker, those that wait longest first. No other worker has them then."""
    due = Q(mode=mode, state=WebhookState.RECEIVED, due_at__lte=now)
    pks = list(events().filter(due).order_by("due_at", "pk").values_list("pk", flat=True)[:limit])
    if not pks:
        return []
    token = uuid.uuid4().hex
    # With the condition again: of two workers that chose the same event, the second does not update it.
    if not events().filter(due, pk__in=pks).update(lease_token=token, due_at=now + LEASE):
        return []
    return list(events().filter(lease_token=token).order_by("first_received_at", "pk"))


def finish(event: WebhookEvent, state: WebhookState, reason: str, now: datetime) -> None:
    """
    Save how a claimed event ended. An event that was received again meanwhile is due again instead.

    Does nothing if the lease was lost.
    """
    mine = events().filter(pk=event.pk, lease_token=event.lease_token)
    ended = {
        "attempts": event.attempts + 1,
        "state": state,
        "reason": reason,
        "due_at": None,
        "done_at": now,
        "lease_token": "",
    }
    if not mine.filter(times_received=event.times_received).update(**ended):
        mine.update(due_at=now, lease_token="")


def postpone(events_: Iterable[WebhookEvent], until: datetime, reason: str = "") -> None:
    """Process claimed events later, through no fault of their own. This is not an attempt."""
    _update(events_, due_at=until, reason=reason)


def retry(event: WebhookEvent, reason: str, now: datetime) -> None:
    """Process an event again after a delay; after too many attempts it is failed."""
    attempts = event.attempts + 1
    if attempts >= MOST_ATTEMPTS:
        finish(event, WebhookState.FAILED, reason, now)
        return
    delay = DELAYS[min(attempts, len(DELAYS)) - 1]
    _update([event], attempts=attempts, due_at=now + delay, reason=reason)


def process_again(queryset: QuerySet[WebhookEvent], *, now: datetime) -> int:
    """Let the worker process events again, whatever became of them. Returns how many. Safe to repeat."""
    return queryset.order_by().update(
        state=WebhookState.RECEIVED, due_at=now, attempts=0, reason="", done_at=None, lease_token=""
    )


def _update(events_: Iterable[WebhookEvent], **columns: Any) -> None:
    claimed = list(events_)
    pks, tokens = [event.pk for event in claimed], {event.lease_token for event in claimed}
    rows = events().filter(pk__in=pks, lease_token__in=tokens, state=WebhookState.RECEIVED)
    rows.update(lease_token="", **columns)
