"""Reads the figures: few queries, none of which counts more than ``COUNTED`` rows of a kind."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import router
from django.db.models import Case, Count, IntegerField, Max, Min, Q, QuerySet, Subquery, Value, When

from ...conf import conf
from ...connection import fingerprint_of_keys
from ...models import (
    Attempt,
    AttemptOutcome,
    Attribution,
    ForgottenCustomer,
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
from ...models.mirror import Mode
from ...models.sync import mismatch
from ...models.worker import SYNC
from .figures import COUNTED, DAYS, READ, Connection, Queue, SignUps, Sync, Webhooks, Workers

HOUR, DAY, MINUTE = timedelta(hours=1), timedelta(days=1), timedelta(minutes=1)


def database() -> str:
    """Where this app's rows are written; a replica may lag behind."""
    return router.db_for_write(OutboxMessage)


class CappedCount(Subquery):
    """
    The number of rows of a queryset, counted up to ``limit``.

    ``of``: what is counted of ``column``, in SQL. The queryset must not refer to other queries. Its order
    should be that of an index; without one, a database may read all rows before it counts some.
    """

    template = "(SELECT COUNT(%(of)s) FROM (%(subquery)s) counted)"

    def __init__(
        self, rows: QuerySet[Any], *, limit: int | None = None, column: str = "pk", of: str = "*"
    ) -> None:
        super().__init__(rows.values(column)[: limit or COUNTED], output_field=IntegerField(), of=of)


def read_queue(mode: str, now: datetime) -> Queue:
    messages = OutboxMessage.objects.using(database()).filter(mode=mode).order_by("pk")
    lanes = OutboxLane.objects.using(database()).filter(mode=mode, due_at__lte=now).order_by("due_at")
    errors = SourceFailure.objects.using(database()).filter(mode=mode).order_by()
    by_state = _select({state.name: CappedCount(messages.filter(state=state)) for state in State})
    recent = _select(_recent_figures(mode, messages, now))
    due = (recent.pop("first_queued_at"), lanes.values_list("due_at", flat=True).first())
    return Queue(
        by_state={name.lower(): number or 0 for name, number in by_state.items()},
        oldest_due_at=min(filter(None, due), default=None),
        source_errors=errors[:COUNTED].count(),
        **{name: number or 0 for name, number in recent.items()},
    )


def _select(figures: dict[str, Any]) -> dict[str, Any]:
    """Figures about the messages, by one query. All are None if there is no message."""
    # Of any row, because the figures do not depend on it.
    rows = OutboxMessage.objects.using(database()).order_by().annotate(**figures)
    return rows.values(*figures).first() or dict.fromkeys(figures)


def _recent_figures(mode: str, messages: QuerySet[OutboxMessage], now: datetime) -> dict[str, Any]:
    waiting, queued = messages.filter(state=State.WAITING), messages.filter(state=State.QUEUED)
    return {
        "delivered_last_hour": CappedCount(_delivered(mode, now - HOUR)),
        "delivered_last_day": CappedCount(_delivered(mode, now - DAY)),
        "failed_last_hour": _failed(messages, now - HOUR),
        "failed_last_day": _failed(messages, now - DAY),
        "unreported_customers": CappedCount(waiting, limit=READ, column="lane", of="DISTINCT lane"),
        "interrupted_erasures": CappedCount(_interrupted(mode, now - HOUR)),
        "first_queued_at": Subquery(queued.values("queued_at")[:1]),
    }


def _delivered(mode: str, since: datetime) -> QuerySet[Attempt]:
    outcomes = (AttemptOutcome.DELIVERED, AttemptOutcome.FOUND)
    attempts = Attempt.objects.using(database()).filter(mode=mode, outcome__in=outcomes, started_at__gt=since)
    return attempts.order_by("-started_at")


def _interrupted(mode: str, before: datetime) -> QuerySet[ForgottenCustomer]:
    """A forgotten customer whose erasure did not end in an hour."""
    rows = ForgottenCustomer.objects.using(database()).filter(mode=mode, finished_at=None)
    return rows.filter(forgotten_at__lt=before).order_by("pk")


def _failed(messages: QuerySet[OutboxMessage], since: datetime) -> CappedCount:
    """Of the newest failed messages, because no index has both their state and their time."""
    newest = messages.filter(state=State.FAILED).order_by("-pk")
    is_recent = Case(When(finished_at__gt=since, then=Value(1)), output_field=IntegerField())
    return CappedCount(newest.annotate(recent=is_recent), limit=READ, column="recent", of="recent")


def read_connection(mode: str, now: datetime) -> Connection:
    row = ThrottleState.objects.using(database()).filter(mode=mode).first() or ThrottleState(mode=mode)
    if row.rejected_keys not in ("", fingerprint_of_keys()):
        # Other keys are set now, and nothing is known about them. As ``forget_rejected_keys``.
        row = ThrottleState(mode=mode)
    is_open = row.paused_until is not None and row.paused_until > now
    is_counted = row.minute_began_at is not None and now - row.minute_began_at < MINUTE
    return Connection(
        has_keys=conf.has_keys,
        push_enabled=bool(conf.push_enabled),
        breaker="open" if is_open else "half-open" if row.half_open else "closed",
        open_until=row.paused_until if is_open else None,
        is_rate_limited=is_open and not row.half_open,
        reason=conf.without_keys(row.pause_reason) if is_open or row.half_open else "",
        keys_rejected=bool(row.rejected_keys),
        failing_since=row.failing_since,
        failed_at=row.failed_at,
        failure=conf.without_keys(row.failure),
        requests_last_minute=row.requests if is_counted else 0,
        requests_per_minute=conf.requests_per_minute,
    )


def read_syncs(mode: str, now: datetime) -> tuple[tuple[Sync, ...], str]:
    """The syncs, and the other mode if the newest data that PartnerStack returned are of it."""
    rows = list(SyncState.objects.using(database()).filter(mode=mode).order_by("resource"))
    seen = {
        name: max((at for row in rows if (at := getattr(row, f"{name}_seen_at"))), default=None)
        for name in Mode.values
    }
    other = mismatch(mode, **seen)
    return tuple(_sync(row, now) for row in rows), other.value if other else ""


def _sync(row: SyncState, now: datetime) -> Sync:
    return Sync(
        resource=row.resource,
        is_running=row.lease_expires_at is not None and row.lease_expires_at > now,
        completed_at=row.completed_at,
        full_completed_at=row.full_completed_at,
        attempted_at=row.attempted_at,
        age_seconds=(now - row.completed_at).total_seconds() if row.completed_at else None,
        duration_seconds=row.duration.total_seconds() if row.duration is not None else None,
        read=row.read,
        changed=row.changed,
        newest_change_at=row.watermark,
        failed_at=row.failed_at,
        error=conf.without_keys(row.error),
    )


def read_workers(mode: str, now: datetime) -> Workers:
    workers = Worker.objects.using(database()).filter(mode=mode)
    alive = Q(pk__in=workers.alive(now).values("pk"))
    return Workers(
        **workers.aggregate(
            running=Count("pk", filter=alive),
            running_since=Min("started_at", filter=alive),
            # Before ``seen_at``, which then is no column any more.
            sync_seen_at=Max("seen_at", filter=Q(jobs__has_key=SYNC)),
            seen_at=Max("seen_at"),
        )
    )


def read_webhooks(mode: str) -> Webhooks:
    events = WebhookEvent.objects.using(database()).filter(mode=mode)
    waiting = events.filter(state=WebhookState.RECEIVED).order_by("due_at").values("first_received_at")[:1]
    failed = CappedCount(events.filter(state=WebhookState.FAILED).order_by("due_at"))
    newest = events.order_by("-last_received_at").annotate(waiting=Subquery(waiting), failed=failed)
    found: Any = newest.values("last_received_at", "waiting", "failed").first() or {}
    return Webhooks(
        is_configured=bool(conf.usable_webhook_secrets),
        last_received_at=found.get("last_received_at"),
        waiting_since=found.get("waiting"),
        failed=found.get("failed", 0),
    )


def read_sign_ups(mode: str, now: datetime) -> SignUps:
    recent = Attribution.objects.using(database()).filter(mode=mode, bound_at__gt=now - timedelta(days=DAYS))
    newest = recent.order_by("-bound_at")[:COUNTED]
    organic = Q(click_id="", partner_key="")
    found = newest.aggregate(number=Count("pk"), organic=Count("pk", filter=organic))
    return SignUps(attributed=found["number"] - found["organic"], organic=found["organic"])
