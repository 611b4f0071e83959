"""The time of a test: the machine's, moved forward by the test. Nothing sleeps."""

from __future__ import annotations

from datetime import datetime, timedelta
from threading import Event

from django.utils import timezone

from django_partnerstack.throttle.clock import Clock


class MovedClock(Clock):
    """Django's ``timezone.now()``, and what the test has moved it by. It ignores the database's time."""

    def __init__(self) -> None:
        self.moved = timedelta()

    def set(self, at: datetime) -> None:
        """Ignore the database's time, which does not move."""

    def now(self) -> datetime:
        return timezone.now() + self.moved

    def sleep(self, seconds: float) -> None:
        self.moved += timedelta(seconds=seconds)

    def move_to(self, at: datetime) -> None:
        """Move forward, never back."""
        self.moved += max(at - self.now(), timedelta())


class NeverStopped(Event):
    """Stands for the event that stops a worker. Waiting for it moves the clock."""

    def __init__(self, clock: MovedClock) -> None:
        super().__init__()
        self._clock = clock

    def wait(self, timeout: float | None = None) -> bool:
        self._clock.sleep(timeout or 0)
        return self.is_set()
