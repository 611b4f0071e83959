"""The clock that all workers of the site share."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import Any

from django.db.models import DateTimeField, functions
from django.utils import timezone


class Now(functions.Now):
    """The database's time in UTC. Django's ``Now`` is the server's local time on MySQL."""

    output_field = DateTimeField()

    def as_mysql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(compiler, connection, template="UTC_TIMESTAMP(6)", **context)


class RowLockTime(Now):
    """The time at which a locked row is returned. ``Now`` would be the time before the wait for the lock."""

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(compiler, connection, template="CLOCK_TIMESTAMP()", **context)

    def as_mysql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        offset = "TIMESTAMPDIFF(MICROSECOND, NOW(6), UTC_TIMESTAMP(6))"
        template = f"TIMESTAMPADD(MICROSECOND, {offset}, SYSDATE(6))"
        return self.as_sql(compiler, connection, template=template, **context)


class Clock:
    """
    The database's clock, so that a lease ends at the same time for every worker, even if clocks differ.

    It is set whenever the throttle row is locked; in between it counts seconds with the machine's monotonic
    clock. Sleeps use it as well, so that tests can control them.
    """

    def __init__(self) -> None:
        self.set(timezone.now())

    def set(self, at: datetime) -> None:
        # Both in one assignment: between two, another thread could read a time in the future.
        self._set = at, time.monotonic()

    def now(self) -> datetime:
        at, counted_from = self._set
        return at + timedelta(seconds=time.monotonic() - counted_from)

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)
