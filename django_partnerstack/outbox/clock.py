"""What time it is for every worker of the site."""

from __future__ import annotations

import time
from datetime import datetime, timedelta

from django.utils import timezone


class Clock:
    """
    The database's clock, so that leases and windows mean the same to all workers, whatever their own say.

    It is set whenever the shared row of the connection is read; in between, this machine only counts seconds.
    """

    def __init__(self) -> None:
        self.set(timezone.now())

    def set(self, at: datetime) -> None:
        self._at = at
        self._counted_from = time.monotonic()

    def now(self) -> datetime:
        return self._at + timedelta(seconds=time.monotonic() - self._counted_from)
