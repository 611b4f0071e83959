"""What time it is for every worker of the site."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import Any

from django.db.models import DateTimeField, functions
from django.utils import timezone


class Now(functions.Now):
    """The database's time. Django's own means the local one on MySQL, where the server may not be on UTC."""

    output_field = DateTimeField()

    def as_mysql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(compiler, connection, template="UTC_TIMESTAMP(6)", **context)


class Moment(Now):
    """
    The time at which a locked row is handed out. ``Now`` is when it was asked for, before the wait for it.
    """

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(compiler, connection, template="CLOCK_TIMESTAMP()", **context)

    def as_mysql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        offset = "TIMESTAMPDIFF(MICROSECOND, NOW(6), UTC_TIMESTAMP(6))"
        template = f"TIMESTAMPADD(MICROSECOND, {offset}, SYSDATE(6))"
        return self.as_sql(compiler, connection, template=template, **context)


class Clock:
    """
    The database's clock, so that leases and windows mean the same to all workers, whatever their own say.

    It is set whenever the shared row of the connection is read; in between, this machine only counts seconds.
    Who only waits for time to pass waits by it, too.
    """

    def __init__(self) -> None:
        self.set(timezone.now())

    def set(self, at: datetime) -> None:
        # Both at once: another thread that asks in between would be told a time that is yet to come.
        self._set = at, time.monotonic()

    def now(self) -> datetime:
        at, counted_from = self._set
        return at + timedelta(seconds=time.monotonic() - counted_from)

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)
