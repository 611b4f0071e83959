"""What a job of the worker is, and the kind of job that polls the database for something that is due."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Event
from typing import Protocol

from django.db import router
from django.utils import timezone

from ..client import Client
from ..client.retry import RetryPolicy
from ..conf import conf
from ..connection import get_client
from ..models import ThrottleState
from ..throttle.clock import Clock, Now
from ..throttle.throttle import Throttle

#: How often a polling job reads the database's clock. In between it counts with the machine's.
CLOCK_READ_EVERY = timedelta(minutes=1)

#: Says what a job does now, in a few words.
Say = Callable[[str], None]


@dataclass(frozen=True)
class Job:
    """
    Work that runs in a thread of its own until the event is set, in any number of processes.

    ``seconds_to_end``: how long a request that it has sent may take. The worker waits that long for the end
    of the job, unless the database does not answer. What may be repeated needs no time.
    """

    name: str
    run: Callable[[Event, Say], None]
    seconds_to_end: float = 0


class Process(Protocol):
    """Does what is due, at most ``limit``. Returns how much was done; 0 if others are doing it already."""

    def __call__(
        self,
        mode: str,
        *,
        client: Client,
        clock: Clock,
        acquire_slot: Callable[[], None],
        stop: Event,
        limit: int = 100,
    ) -> int: ...


class Stopping(Exception):
    """Ends the work of a job in the middle, because the worker is stopping."""


@dataclass(frozen=True)
class Poller:
    """
    Calls ``process`` whenever something is due.

    ``next_due(mode, now)`` says when, by one query; None: nothing is. It is asked at least every ``poll``
    seconds, because other processes can make something due. ``process`` may raise ``Stopping``.
    """

    process: Process
    next_due: Callable[[str, datetime], datetime | None]
    poll: float
    clock: Clock

    def run(self, stopping: Event, say: Say) -> None:
        throttle = Throttle(conf.mode, self.clock, requests_per_minute=conf.requests_per_minute)
        policy = RetryPolicy(sleep=lambda seconds: pause(stopping, seconds))
        with get_client(retry_policy=policy) as client, suppress(Stopping):
            read_at = self._read_clock(throttle.mode)
            while not stopping.is_set():
                if self.clock.now() - read_at > CLOCK_READ_EVERY:
                    read_at = self._read_clock(throttle.mode)
                due = self.next_due(throttle.mode, self.clock.now())
                left = (due - self.clock.now()).total_seconds() if due else self.poll
                if left > 0:
                    say(f"waiting until {due:%H:%M:%S} UTC" if due else "waiting")
                    stopping.wait(min(left, self.poll))
                    continue
                say("working")
                if not self._process(client, throttle, stopping):
                    stopping.wait(self.poll)

    def _process(self, client: Client, throttle: Throttle, stopping: Event) -> int:
        return self.process(
            throttle.mode,
            client=client,
            clock=self.clock,
            acquire_slot=lambda: throttle.acquire_slot(stopping.wait),
            stop=stopping,
        )

    def _read_clock(self, mode: str) -> datetime:
        """Set the clock to the database's, which all machines share; to this machine's before any claim."""
        states = ThrottleState.objects.using(router.db_for_write(ThrottleState))
        now = states.filter(mode=mode).values_list(Now(), flat=True).first()
        self.clock.set(now or timezone.now())
        return self.clock.now()


def pause(stopping: Event, seconds: float) -> None:
    """Sleep. Raises Stopping as soon as the worker stops."""
    if stopping.wait(seconds):
        raise Stopping
