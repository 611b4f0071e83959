"""The status of the site: whether delivery is paused, what needs attention, and which workers run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Max, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from ...models import OutboxLane, OutboxMessage, SourceFailure, State, ThrottleState, Worker


@dataclass(frozen=True)
class DeliveryHealth:
    """
    ``paused_until`` and ``pause_reason``: None and "" unless delivery is paused. ``failed``, ``on_hold`` and
    ``waiting``: the numbers of messages in these states. ``source_failures``: the number of objects that
    could not be reported.
    """

    paused_until: datetime | None = None
    pause_reason: str = ""
    failed: int = 0
    on_hold: int = 0
    waiting: int = 0
    source_failures: int = 0


def delivery_health(mode: str) -> DeliveryHealth:
    """The health of the delivery in a mode. Takes one query, or two if no worker ever ran in this mode."""
    counts = {
        "failed": _count_messages(State.FAILED),
        "on_hold": _count_messages(State.ON_HOLD),
        "waiting": _count_messages(State.WAITING),
        "source_failures": _count(SourceFailure.objects.filter(mode=OuterRef("mode"))),
    }
    rows = ThrottleState.objects.filter(mode=mode).annotate(**counts)
    row = rows.values_list("paused_until", "pause_reason", *counts).first()
    if row is None:
        return DeliveryHealth(source_failures=SourceFailure.objects.filter(mode=mode).count())
    until, reason, *numbers = row
    if until is None or until <= timezone.now():
        until, reason = None, ""
    return DeliveryHealth(until, reason, *numbers)


def _count_messages(state: State) -> Coalesce:
    return _count(OutboxMessage.objects.filter(mode=OuterRef("mode"), state=state))


def _count(rows: QuerySet[Any]) -> Coalesce:
    same_mode = rows.order_by().values("mode").annotate(number=Count("pk"))
    return Coalesce(Subquery(same_mode.values("number")), 0)


@dataclass(frozen=True)
class WorkerHealth:
    """``running``: how many workers run. ``seen_at``: when any worker was last seen; None if never."""

    running: int = 0
    seen_at: datetime | None = None


def worker_health(mode: str) -> WorkerHealth:
    """The workers of a mode. Takes two queries."""
    workers = Worker.objects.filter(mode=mode)
    return WorkerHealth(
        running=workers.alive(timezone.now()).count(),
        seen_at=workers.aggregate(seen_at=Max("seen_at"))["seen_at"],
    )


def are_messages_left(mode: str, span: timedelta) -> bool:
    """Whether messages have been due for longer than ``span``, so that nobody seems to send them."""
    since = timezone.now() - span
    queued = OutboxMessage.objects.filter(mode=mode, state=State.QUEUED, queued_at__lt=since)
    return queued.exists() or OutboxLane.objects.filter(mode=mode, due_at__lt=since).exists()
