"""
The one gate that each request to PartnerStack passes: a slot of the rate limiter, if the circuit breaker is
closed.

Both keep their state in one row for each mode, which is locked first. So claims and slots of all processes of
the site are given out one after the other.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.db import Error, connections, models, router, transaction

from ..conf import conf
from ..exceptions import DeliveryPaused
from ..models import OutboxMessage, ThrottleState
from . import circuit_breaker
from .circuit_breaker import LONGEST_PAUSE, RATE_LIMITED_PAUSE, REFUSED_KEYS_PAUSE, RequestCounter
from .clock import Clock, RowLockTime
from .rate_limiter import HORIZON, RateLimiter

logger = logging.getLogger(__name__)

#: How old this process's knowledge of a pause may be when a request goes.
FRESH = timedelta(seconds=0.1)

STOPPED = "The worker was stopped."
KEYS_REJECTED = (
    "PartnerStack rejected your API keys. Delivery resumes within five minutes after you correct "
    "PARTNERSTACK_SECRET_KEY. {}"
)

#: Sleeps for some seconds; returns something true if nothing more is to begin.
Wait = Callable[[float], object]


class Throttle:
    """One process's access to the shared rate limiter and circuit breaker. Threads may share it."""

    def __init__(self, mode: str, clock: Clock, *, requests_per_minute: float) -> None:
        self.mode = mode
        self.clock = clock
        self.rate_limiter = RateLimiter(requests_per_minute)
        self.requests = RequestCounter()
        #: Known to this process before the row says so, so that its threads stop at once.
        self.paused_until: datetime | None = None
        #: The pause that is being written into the shared row.
        self._pausing_until: datetime | None = None
        self._known_at = clock.now()

    @contextmanager
    def locked(self, *, durable: bool = True) -> Iterator[ThrottleState]:
        """
        Lock the shared row for the block, which is one transaction, and save it at the end.

        With ``durable=False`` it may be a part of another transaction, such as that of a request in the
        admin.
        """
        using = router.db_for_write(OutboxMessage)
        with transaction.atomic(using, durable=durable):
            row = self._lock(using)
            self.clock.set(row.now)
            row.now = self.clock.now()
            circuit_breaker.update(row, self.requests, paused=self.is_open(row))
            yield row
            row.save()
            self._remember(row.paused_until)

    def _lock(self, using: str) -> ThrottleState:
        rows: models.QuerySet[Any] = ThrottleState.objects.using(using).filter(mode=self.mode)
        if not connections[using].features.has_select_for_update:
            # SQLite allows one writer: an UPDATE makes this process the one.
            rows.update(mode=self.mode)
        rows = rows.select_for_update().annotate(now=RowLockTime())
        row = rows.first()
        if row is None:
            ThrottleState.objects.using(using).get_or_create(mode=self.mode)
            row = rows.get()
        return row

    def is_open(self, row: ThrottleState) -> bool:
        """Whether the circuit breaker is open: no request may go."""
        return circuit_breaker.is_open(row, self.clock.now())

    def slots(self, row: ThrottleState, wanted: int) -> list[datetime]:
        """The times of the next requests: at most ``wanted``."""
        return self.rate_limiter.slots(row, wanted, self.clock.now())

    def acquire_slot(self, wait: Wait) -> None:
        """Wait for one more slot. Raises DeliveryPaused if no request may go now."""
        while True:
            try:
                with self.locked() as row:
                    slots = [] if self.is_open(row) else self._one_slot(row)
            except Error as error:
                raise DeliveryPaused(f"The database failed: {error}") from error
            if slots:
                return self._wait_until(slots[0], wait)
            self.check()
            if wait(HORIZON.total_seconds() / 2):
                raise DeliveryPaused(STOPPED)

    def _one_slot(self, row: ThrottleState) -> list[datetime]:
        """While the breaker is half-open only the probe gets slots, and it gets them at once."""
        return [self.clock.now()] if row.half_open else self.slots(row, 1)

    def wait_for_slot(self, slot: datetime, wait: Wait, *, slots_held: int) -> None:
        """
        Wait until a slot has come; acquire another if it is too late for this one.

        ``slots_held``: how many slots this process holds at most. Raises DeliveryPaused if no request may go
        then.
        """
        if self.rate_limiter.is_usable(slot, self.clock.now(), slots_held=slots_held):
            self._wait_until(slot, wait)
        else:
            self.acquire_slot(wait)

    def _wait_until(self, slot: datetime, wait: Wait) -> None:
        left = (slot - self.clock.now()).total_seconds()
        if wait(max(left, 0)):
            raise DeliveryPaused(STOPPED)
        self.check()

    def check(self) -> None:
        """Raises DeliveryPaused if no request may go. Another process may have paused a moment ago."""
        if self.clock.now() - self._known_at > FRESH:
            self._read_pause()
        if self.paused_until is not None and self.paused_until > self.clock.now():
            raise DeliveryPaused(f"Delivery is paused until {self.paused_until:%H:%M:%S} UTC.")

    def _read_pause(self) -> None:
        using = router.db_for_write(OutboxMessage)
        rows = ThrottleState.objects.using(using).filter(mode=self.mode)
        try:
            self._remember(rows.values_list("paused_until", flat=True).first())
        except Error as error:
            raise DeliveryPaused(f"The database failed: {error}") from error

    def _remember(self, paused_until: datetime | None) -> None:
        self.paused_until = max(filter(None, (paused_until, self._pausing_until)), default=None)
        self._known_at = self.clock.now()

    def pause(self, until: datetime, reason: str, *, probe: bool = False) -> None:
        """Let no request go before ``until``; with ``probe`` a single request goes first then."""
        self.paused_until = self._pausing_until = max(until, self.paused_until or until)
        try:
            with self.locked() as row:
                row.paused_until = max(until, row.paused_until or until)
                row.pause_reason, row.half_open = reason[:255], row.half_open or probe
        except Error as error:
            logger.warning(
                "Only this process knows that delivery is paused: the database failed (%s).", error
            )
        finally:
            self._pausing_until = None

    def pause_for_rate_limit(self, retry_after: float | None) -> None:
        """PartnerStack answered "too many requests", or asked to wait ``retry_after`` seconds."""
        pause = (
            RATE_LIMITED_PAUSE if retry_after is None else min(timedelta(seconds=retry_after), LONGEST_PAUSE)
        )
        self.pause(self.clock.now() + pause, "PartnerStack asked for a pause.")

    def pause_for_refused_keys(self, reason: str) -> None:
        """PartnerStack refused the keys. No message is the cause, so none spends an attempt."""
        self.pause(self.clock.now() + REFUSED_KEYS_PAUSE, KEYS_REJECTED.format(reason), probe=True)


def site_throttle(mode: str) -> Throttle:
    """The throttle as the site's settings configure it."""
    return Throttle(mode, Clock(), requests_per_minute=conf.requests_per_minute)


def resume_delivery(mode: str) -> bool:
    """
    Let messages of a mode go again at once. Returns whether delivery was paused.

    After refused keys or many failures a single message, the probe, goes first. Safe to repeat.
    """
    throttle = site_throttle(mode)
    with throttle.locked(durable=False) as row:
        was_paused = throttle.is_open(row)
        circuit_breaker.close(row)
    return was_paused
