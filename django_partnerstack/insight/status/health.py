"""One function for the health of the integration, which everything that shows it calls."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from django.db import DatabaseError, router, transaction
from django.utils import timezone

from ...conf import conf
from ...models import OutboxMessage
from ..findings import finding
from ..reconciliation.double_reports import double_reports
from . import judge, read
from .figures import Health


def health(mode: str | None = None, *, now: datetime | None = None) -> Health:
    """
    The health of the integration, by a few bounded queries.

    ``mode``: "test" or "production"; by default the site's. ``now``: another time, for tests. Never raises
    because tables are missing: that is a finding.
    """
    mode, now = mode or conf.mode, now or timezone.now()
    try:
        with transaction.atomic(using=router.db_for_write(OutboxMessage)):
            figures = _read(mode, now)
    except DatabaseError:
        return Health(mode, now, findings=(finding("tables-missing", mode=mode),))
    return replace(figures, findings=judge.findings(figures))


def _read(mode: str, now: datetime) -> Health:
    syncs, mode_seen = read.read_syncs(mode, now)
    return Health(
        mode=mode,
        at=now,
        mode_seen=mode_seen,
        queue=read.read_queue(mode, now),
        connection=read.read_connection(mode, now),
        syncs=syncs,
        workers=read.read_workers(mode, now),
        webhooks=read.read_webhooks(mode),
        sign_ups=read.read_sign_ups(mode, now),
        reported_twice=double_reports(mode),
    )
