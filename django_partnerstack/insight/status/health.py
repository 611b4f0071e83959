"""One function for the health of the integration, which everything that shows it calls."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from django.db import DatabaseError, transaction
from django.utils import timezone

from ...conf import conf
from ..findings import Finding, finding
from . import judge, read
from .double_reports import double_reports
from .figures import Health
from .metrics import Samples, metrics
from .tables import lacks_tables


def health(mode: str | None = None, *, now: datetime | None = None) -> Health:
    """
    The health of the integration, by eleven bounded queries.

    ``mode``: "test" or "production"; by default the site's. ``now``: another time, for tests. A database that
    fails, or has no tables, is a finding and not an error.
    """
    mode, now = mode or conf.mode, now or timezone.now()
    using = read.database()
    try:
        # So that an error of the database does not break the transaction of a request.
        with transaction.atomic(using=using):
            figures = _read(mode, now)
    except DatabaseError as error:
        return Health(mode, now, has_figures=False, findings=(_why(error, mode, using),))
    return replace(figures, findings=judge.findings(figures))


def gauges() -> list[tuple[str, str, Samples]]:
    """The health of the site's mode as gauges, all with the label ``mode``. See ``telemetry.observe``."""
    now = health()
    return [
        (name, text, {(("mode", now.mode), *labels): value for labels, value in samples.items()})
        for name, text, samples in metrics(now)
    ]


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


def _why(error: DatabaseError, mode: str, using: str) -> Finding:
    """A table or a column is missing, or the database does not answer."""
    try:
        if lacks_tables(using):
            return finding("tables-missing", mode=mode)
    except DatabaseError:
        pass
    return finding("database-silent", mode=mode, reason=" ".join(str(error).split()).rstrip("."))
