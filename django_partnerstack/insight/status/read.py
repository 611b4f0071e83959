"""Reads the figures. Each query is bounded: it counts no more than ``COUNTED`` rows, by an index."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, IntegerField, Max, Q, QuerySet, Subquery

from ...conf import conf
from ...models import (
    Attribution,
    OutboxLane,
    OutboxMessage,
    SourceFailure,
    State,
    SyncState,
    ThrottleState,
    WebhookEvent,
    WebhookState,
    Worker,
)
from .figures import COUNTED, DAYS, Connection, Queue, SignUps, Sync, Webhooks, Workers

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


class CappedCount(Subquery):
    """The number of rows of a queryset, counted up to ``COUNTED``."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) counted)"

    def __init__(self, rows: QuerySet[Any]) -> None:
        super().__init__(rows.order_by().values("pk")[:COUNTED], output_field=IntegerField())


def read_queue(mode: str, now: datetime) -> Queue:
    messages = OutboxMessage.objects.filter(mode=mode).order_by()
    counts = {state.name.lower(): CappedCount(messages.filter(state=state)) for state in State}
    for name, state in (("delivered", State.DELIVERED), ("failed", State.FAILED)):
        for span, since in (("hour", now - HOUR), ("day", now - DAY)):
            rows = messages.filter(state=state, finished_at__gt=since)
            counts[f"{name}_last_{span}"] = CappedCount(rows)
    # Of any row: the subqueries do not depend on it, and without a row every number is 0.
    found = OutboxMessage.objects.order_by().annotate(**counts).values(*counts).first() or {}
    waiting = messages.filter(state=State.WAITING).values("lane")[:COUNTED]
    return Queue(
        by_state={state.name.lower(): found.get(state.name.lower(), 0) for state in State},
        oldest_due_at=_oldest_due(mode, now),
        unreported_customers=len({row["lane"] for row in waiting}),
        source_errors=SourceFailure.objects.filter(mode=mode).order_by()[:COUNTED].count(),
        **{name: number for name, number in found.items() if "_last_" in name},
    )


def _oldest_due(mode: str, now: datetime) -> datetime | None:
    queued = OutboxMessage.objects.filter(mode=mode, state=State.QUEUED).order_by("pk")
    lanes = OutboxLane.objects.filter(mode=mode, due_at__lte=now).order_by("due_at")
    times = (
        queued.values_list("queued_at", flat=True).first(),
        lanes.values_list("due_at", flat=True).first(),
    )
    return min((time for time in times if time), default=None)


def read_connection(mode: str, now: datetime) -> Connection:
    row = ThrottleState.objects.filter(mode=mode).first() or ThrottleState(mode=mode)
    is_open = row.paused_until is not None and row.paused_until > now
    is_counted = row.minute_began_at is not None and now - row.minute_began_at < timedelta(minutes=1)
    return Connection(
        has_keys=conf.has_keys,
        push_enabled=conf.push_enabled,
        breaker="open" if is_open else "half-open" if row.half_open else "closed",
        open_until=row.paused_until if is_open else None,
        reason=conf.without_keys(row.pause_reason) if is_open or row.half_open else "",
        requests_last_minute=row.requests if is_counted else 0,
        requests_per_minute=conf.requests_per_minute,
    )


def read_syncs(mode: str, now: datetime) -> tuple[tuple[Sync, ...], str]:
    """The syncs, and the mode of the data that PartnerStack returned if none was of ``mode``."""
    rows = list(SyncState.objects.filter(mode=mode).order_by("resource"))
    seen = {"test": any(row.test_seen_at for row in rows)}
    seen["production"] = any(row.production_seen_at for row in rows)
    others = [other for other, is_seen in seen.items() if is_seen]
    mode_seen = others[0] if others and mode not in others else ""
    return tuple(_sync(row, now) for row in rows), mode_seen


def _sync(row: SyncState, now: datetime) -> Sync:
    return Sync(
        resource=row.resource,
        is_running=row.lease_expires_at is not None and row.lease_expires_at > now,
        completed_at=row.completed_at,
        full_completed_at=row.full_completed_at,
        attempted_at=row.attempted_at,
        age_seconds=(now - row.completed_at).total_seconds() if row.completed_at else None,
        error=conf.without_keys(row.error),
    )


def read_workers(mode: str, now: datetime) -> Workers:
    workers = Worker.objects.filter(mode=mode)
    seen_at = workers.aggregate(at=Max("seen_at"))["at"]
    return Workers(workers.alive(now).count(), seen_at)


def read_webhooks(mode: str) -> Webhooks:
    events = WebhookEvent.objects.filter(mode=mode)
    waiting = events.filter(state=WebhookState.RECEIVED).order_by("due_at").values("first_received_at")[:1]
    found: Any = (
        events.order_by("-last_received_at")
        .annotate(waiting=Subquery(waiting), bad=CappedCount(events.filter(state=WebhookState.FAILED)))
        .values("last_received_at", "waiting", "bad")
        .first()
    ) or {}
    return Webhooks(
        is_configured=bool(conf.usable_webhook_secrets),
        last_received_at=found.get("last_received_at"),
        waiting_since=found.get("waiting"),
        failed=found.get("bad", 0),
    )


def read_sign_ups(mode: str, now: datetime) -> SignUps:
    recent = Attribution.objects.filter(mode=mode, bound_at__gt=now - timedelta(days=DAYS))
    newest = recent.order_by("-bound_at")[:COUNTED]
    organic = Q(click_id="", partner_key="")
    found = newest.aggregate(number=Count("pk"), organic=Count("pk", filter=organic))
    return SignUps(attributed=found["number"] - found["organic"], organic=found["organic"])
