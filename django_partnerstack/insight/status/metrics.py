"""The health as gauges, for Prometheus and OpenTelemetry: the same names, labels and values for both."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from .figures import COUNTED, DAYS, READ, Health

#: The figures of one name, by their further labels. None: not known, so it is left out.
Samples = Mapping[tuple[tuple[str, str], ...], float | datetime | None]

NO_LABEL: tuple[tuple[str, str], ...] = ()


def metrics(health: Health) -> Iterator[tuple[str, str, Samples]]:
    """Name, description and figures of each gauge. The names are the same for every health."""
    yield (
        "partnerstack_severity",
        "The most urgent finding: 0 none, 1 info, 2 warn, 3 error.",
        {NO_LABEL: int(health.severity)},
    )
    yield (
        "partnerstack_finding",
        "1 for each finding.",
        {(("code", each.code), ("severity", each.severity.word)): 1 for each in health.findings},
    )
    for name, text, samples in _figures(health):
        yield name, text, samples if health.has_figures else {}


def _figures(health: Health) -> Iterator[tuple[str, str, Samples]]:
    queue, connection, webhooks = health.queue, health.connection, health.webhooks
    yield (
        "partnerstack_messages",
        f"Messages by state, counted up to {COUNTED}.",
        {(("state", state),): number for state, number in queue.by_state.items()},
    )
    yield (
        "partnerstack_oldest_due_timestamp_seconds",
        "Since when the oldest message that may be sent now has been due.",
        {NO_LABEL: queue.oldest_due_at},
    )
    yield (
        "partnerstack_delivered",
        f"Deliveries of the last hour and day, counted up to {COUNTED}.",
        {(("window", "1h"),): queue.delivered_last_hour, (("window", "24h"),): queue.delivered_last_day},
    )
    yield (
        "partnerstack_failed",
        f"Messages that failed in the last hour and day and still are, counted up to {READ}.",
        {(("window", "1h"),): queue.failed_last_hour, (("window", "24h"),): queue.failed_last_day},
    )
    yield (
        "partnerstack_unreported_customers",
        "Customers that messages wait for, because they were never reported.",
        {NO_LABEL: queue.unreported_customers},
    )
    yield (
        "partnerstack_source_errors",
        "Objects that could not be reported.",
        {NO_LABEL: queue.source_errors},
    )
    yield (
        "partnerstack_breaker_open",
        "Whether the circuit breaker is open (1), half-open (0.5) or closed (0).",
        {NO_LABEL: {"open": 1, "half-open": 0.5}.get(connection.breaker, 0)},
    )
    yield (
        "partnerstack_requests_last_minute",
        "Requests of the current minute, of partnerstack_requests_per_minute.",
        {NO_LABEL: connection.requests_last_minute},
    )
    yield (
        "partnerstack_requests_per_minute",
        "The rate limit.",
        {NO_LABEL: _number_or_none(connection.requests_per_minute)},
    )
    yield from _syncs(health)
    yield "partnerstack_workers_running", "Workers that run.", {NO_LABEL: health.workers.running}
    yield (
        "partnerstack_worker_seen_timestamp_seconds",
        "When a worker was last seen.",
        {NO_LABEL: health.workers.seen_at},
    )
    yield (
        "partnerstack_webhook_received_timestamp_seconds",
        "When a webhook was last received.",
        {NO_LABEL: webhooks.last_received_at},
    )
    yield "partnerstack_webhook_events_failed", "Webhook events that failed.", {NO_LABEL: webhooks.failed}
    yield (
        "partnerstack_sign_ups",
        f"The newest sign-ups of the last {DAYS} days, up to {COUNTED}.",
        {
            (("attributed", "true"),): health.sign_ups.attributed,
            (("attributed", "false"),): health.sign_ups.organic,
        },
    )


def _syncs(health: Health) -> Iterator[tuple[str, str, Samples]]:
    figures = {
        "age_seconds": "Seconds since the last sync was completed.",
        "duration_seconds": "Seconds that the last run took.",
        "read": "Objects that the last run read.",
        "changed": "Objects that the last run changed.",
    }
    for name, help_text in figures.items():
        samples: Samples = {(("resource", sync.resource),): getattr(sync, name) for sync in health.syncs}
        yield f"partnerstack_sync_{name}", help_text, samples
    yield (
        "partnerstack_sync_failing",
        "Whether the last run failed.",
        {(("resource", sync.resource),): int(bool(sync.error)) for sync in health.syncs},
    )


def _number_or_none(value: object) -> float | None:
    """A setting that is not a number is reported by a check."""
    return value if isinstance(value, (int, float)) else None
