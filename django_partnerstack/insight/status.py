"""The status of the delivery: whether it is paused, and what needs attention."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from ..models import OutboxMessage, SourceFailure, State, ThrottleState


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
