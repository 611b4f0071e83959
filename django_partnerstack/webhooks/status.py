"""What was received, for ``partnerstack_webhooks status`` and the admin. Reads only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Max, Min, Q, Sum

from ..models import WebhookCounter, WebhookState
from .queue import events


@dataclass(frozen=True)
class Received:
    """The events of one name. ``times``: deliveries, doubles included."""

    event: str
    number: int
    times: int
    last_received_at: datetime
    waiting: int
    failed: int


@dataclass(frozen=True)
class Status:
    """
    ``received``: by name, the last received first. ``last_received_at``: None if nothing was ever received.
    ``waiting_since``: when the oldest waiting event was received. ``refused``: deliveries with a correct
    secret that were not stored, by reason.
    """

    received: tuple[Received, ...]
    last_received_at: datetime | None
    waiting_since: datetime | None
    refused: dict[str, int]


def status(mode: str) -> Status:
    """The status of a mode. Takes three queries."""
    rows = events().filter(mode=mode).order_by()
    by_name = rows.values("event").annotate(
        number=Count("pk"),
        times=Sum("times_received"),
        last=Max("last_received_at"),
        waiting=Count("pk", filter=Q(state=WebhookState.RECEIVED)),
        failed=Count("pk", filter=Q(state=WebhookState.FAILED)),
    )
    received = sorted(
        (
            Received(row["event"], row["number"], row["times"], row["last"], row["waiting"], row["failed"])
            for row in by_name
        ),
        key=lambda each: each.last_received_at,
        reverse=True,
    )
    oldest = rows.filter(state=WebhookState.RECEIVED).aggregate(at=Min("first_received_at"))["at"]
    counters = WebhookCounter.objects.using(rows.db).filter(mode=mode).order_by("reason")
    last = received[0].last_received_at if received else None
    return Status(tuple(received), last, oldest, dict(counters.values_list("reason", "count")))
