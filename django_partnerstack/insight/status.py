"""The status of the delivery: whether it is paused, and how many messages need attention."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from ..models import OutboxMessage, State, ThrottleState


@dataclass(frozen=True)
class DeliveryHealth:
    """
    ``paused_until`` and ``pause_reason``: None and "" unless delivery is paused. ``failed`` and ``on_hold``:
    the numbers of messages in these states.
    """

    paused_until: datetime | None = None
    pause_reason: str = ""
    failed: int = 0
    on_hold: int = 0


def delivery_health(mode: str) -> DeliveryHealth:
    """
    The health of the delivery in a mode. Takes one query.

    All is well if nothing was ever delivered in this mode.
    """
    counts = {"failed": _count(State.FAILED), "on_hold": _count(State.ON_HOLD)}
    rows = ThrottleState.objects.filter(mode=mode).annotate(**counts)
    row = rows.values_list("paused_until", "pause_reason", *counts).first()
    if row is None:
        return DeliveryHealth()
    until, reason, failed, on_hold = row
    if until is None or until <= timezone.now():
        until, reason = None, ""
    return DeliveryHealth(until, reason, failed, on_hold)


def _count(state: State) -> Coalesce:
    messages = OutboxMessage.objects.filter(mode=OuterRef("mode"), state=state).order_by()
    return Coalesce(Subquery(messages.values("mode").annotate(number=Count("pk")).values("number")), 0)
