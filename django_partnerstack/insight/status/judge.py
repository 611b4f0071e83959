"""What the figures mean: which findings a site has. Takes no query."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from ..findings import Finding, finding
from .figures import Health

#: How long messages may be due before somebody should look.
LEFT_AFTER = timedelta(hours=1)


def findings(health: Health) -> tuple[Finding, ...]:
    """The findings of a mode, the most urgent first."""
    found = [*_delivery(health), *_messages(health)]
    return tuple(sorted(found, key=lambda each: -each.severity))


def _delivery(health: Health) -> Iterator[Finding]:
    mode, connection, queue = health.mode, health.connection, health.queue
    if health.mode_seen:
        yield finding("mode-mismatch", mode=mode, seen=health.mode_seen)
    if connection.open_until is not None:
        until = f"{connection.open_until:%Y-%m-%d %H:%M:%S} UTC"
        yield finding("delivery-paused", mode=mode, until=until, reason=connection.reason)
    elif (
        queue.oldest_due_at is not None
        and not health.workers.running
        and connection.has_keys
        and connection.push_enabled
        and health.at - queue.oldest_due_at > LEFT_AFTER
    ):
        yield finding("no-worker", mode=mode, since=f"{queue.oldest_due_at:%Y-%m-%d %H:%M} UTC")


def _messages(health: Health) -> Iterator[Finding]:
    queue = health.queue
    numbers = {
        "messages-failed": queue.by_state["failed"],
        "messages-on-hold": queue.by_state["on_hold"],
        "customers-unreported": queue.unreported_customers,
        "source-errors": queue.source_errors,
        "reported-twice": health.reported_twice,
    }
    for code, number in numbers.items():
        if number:
            yield finding(code, mode=health.mode, number=number)
