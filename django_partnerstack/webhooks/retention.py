"""Forgetting: bodies contain personal data, and rows are of no use forever."""

from __future__ import annotations

from datetime import datetime, timedelta

from ..conf import conf
from ..models import WebhookState
from .queue import events

#: How many times as long as its body an event is remembered.
ROWS_LAST = 4

#: Rows written or deleted in one statement.
BATCH = 1000

PRUNE_EVERY = timedelta(hours=1)

#: When this process has pruned each mode.
_pruned_at: dict[str, datetime] = {}


def prune_hourly(mode: str, now: datetime) -> None:
    """Prune by the site's settings, once an hour in each process."""
    last = _pruned_at.get(mode)
    if last is None or not timedelta() <= now - last < PRUNE_EVERY:
        _pruned_at[mode] = now
        prune(mode, now)


def prune(mode: str, now: datetime) -> tuple[int, int]:
    """
    Forget bodies after ``PARTNERSTACK_RETENTION_DAYS``, and delete events after four times as long.

    Returns how many of each. Keeps events that wait to be processed. Safe to repeat.
    """
    days = timedelta(days=conf.retention_days)
    ended = events().filter(mode=mode).exclude(state=WebhookState.RECEIVED).order_by()
    with_body = ended.filter(last_received_at__lt=now - days, body__isnull=False)
    forgotten = 0
    while pks := list(with_body.values_list("pk", flat=True)[:BATCH]):
        forgotten += events().filter(pk__in=pks).update(body=None)
    old = ended.filter(last_received_at__lt=now - ROWS_LAST * days)
    deleted = 0
    while pks := list(old.values_list("pk", flat=True)[:BATCH]):
        deleted += events().filter(pk__in=pks).delete()[0]
    return forgotten, deleted
