"""
The throttle: a request to PartnerStack needs a slot of the rate limiter, and a closed circuit breaker.

Both store their state in a row for each mode, ``ThrottleState``. The row is locked first, so all processes of
the site claim messages and acquire slots one after the other.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.db import Error, connections, models, router, transaction

from ..conf import conf
from ..connection import fingerprint_of_keys
from ..exceptions import AuthenticationFailed, DeliveryPaused, PartnerStackError, RateLimited
from ..models import OutboxMessage, ThrottleState
from . import circuit_breaker
from .circuit_breaker import LONGEST_PAUSE, RATE_LIMITED_PAUSE, REFUSED_KEYS_PAUSE, RequestCounter
from .clock import Clock, RowLockTime
from .rate_limiter import HORIZON, RateLimiter

logger = logging.getLogger(__name__)

#: How long a process may send requests before it reads again whether delivery is paused.
FRESH = timedelta(seconds=0.1)

STOPPED = "The worker was stopped."
KEYS_REJECTED = (
    "PartnerStack rejected your API keys or their permissions. "
    "Delivery resumes as soon as you correct PARTNERSTACK_SECRET_KEY. {}"
)

#: Sleeps for some seconds; returns something true if the caller must stop.
Wait = Callable[[float], object]


class Throttle:
    """A process's access to the shared rate limiter and circuit breaker. Threads may share it."""

    def __init__(self, mode: str, clock: Clock, *, requests_per_minute: float) -> None:
        self.mode = mode
        self.clock = clock
        self.rate_limiter = RateLimiter(requests_per_minute)
        self.requests = RequestCounter()
        #: Of the keys that this process uses. A pause for other keys does not concern it.
        self.keys = fingerprint_of_keys()
        #: The last pause or failure that this process has logged.
        self._logged = ""
        #: Set before the row is updated, so that the threads of this process stop at once.
        self.paused_until: datetime | None = None
        #: A pause that is not saved yet.
        self._pausing_until: datetime | None = None
        self._known_at = clock.now()

    @contextmanager
    def locked(self, *, durable: bool = True) -> Iterator[ThrottleState]:
        """
        Lock the throttle row for the block, which is a transaction, and save the row at its end.

        With ``durable=False`` it may be part of another transaction, such as that of an admin request.
        """
        using = router.db_for_write(OutboxMessage)
        with transaction.atomic(using, durable=durable):
            row = self._lock(using)
            self.clock.set(row.now)
            row.now = self.clock.now()
            if row.rejected_keys not in ("", self.keys):
                circuit_breaker.forget_rejected_keys(row)
            circuit_breaker.update(row, self.requests, paused=self.is_open(row))
            yield row
            row.save()
            self._remember(row.paused_until)
        self._log(row)

    def _log(self, row: ThrottleState) -> None:
        """Log why requests are paused or fail, once for each reason, and that it is over."""
        is_open = self.is_open(row)
        problem = row.pause_reason if is_open or row.half_open else row.failure
        if problem and problem != self._logged:
            text = f"Delivery is paused until {row.paused_until:%H:%M:%S} UTC." if is_open else ""
            logger.warning("%s %s", text or "Requests to PartnerStack fail; messages are retried.", problem)
        elif self._logged and not problem:
            logger.info("PartnerStack accepts requests again.")
        self._logged = problem

    def _lock(self, using: str) -> ThrottleState:
        rows: models.QuerySet[Any] = ThrottleState.objects.using(using).filter(mode=self.mode)
        if not connections[using].features.has_select_for_update:
            # SQLite allows one writer at a time: the UPDATE takes the write lock.
            rows.update(mode=self.mode)
        rows = rows.select_for_update().annotate(now=RowLockTime())
        row = rows.first()
        if row is None:
            ThrottleState.objects.using(using).get_or_create(mode=self.mode)
            row = rows.get()
        return row

    def is_open(self, row: ThrottleState) -> bool:
        """Whether the circuit breaker is open, so no request may be sent."""
        return row.paused_until is not None and row.paused_until > self.clock.now()

    def slots(self, row: ThrottleState, wanted: int) -> list[datetime]:
        return self.rate_limiter.slots(row, wanted, self.clock.now())

    def acquire_slot(self, wait: Wait) -> None:
        """Wait for a slot. Raises DeliveryPaused if no request may be sent now."""
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
        """While the breaker is half-open only the probe acquires slots; it gets them at once."""
        return [self.clock.now()] if row.half_open else self.slots(row, 1)

    def wait_for_slot(self, slot: datetime, wait: Wait, *, claimed_slots: int) -> None:
        """
        Wait for the time of a slot. Acquires another slot if that time is past.

        ``claimed_slots``: how many slots this process has at most. Raises DeliveryPaused if no request may be
        sent then.
        """
        if self.rate_limiter.is_usable(slot, self.clock.now(), claimed_slots=claimed_slots):
            self._wait_until(slot, wait)
        else:
            self.acquire_slot(wait)

    def _wait_until(self, slot: datetime, wait: Wait) -> None:
        left = (slot - self.clock.now()).total_seconds()
        if wait(max(left, 0)):
            raise DeliveryPaused(STOPPED)
        self.check()

    def check(self) -> None:
        """Raises DeliveryPaused if no request may be sent. Reads the row again after ``FRESH``."""
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

    def pause(self, until: datetime, reason: str, *, rejection: str = "") -> None:
        """
        Send no request before ``until``.

        ``rejection``: how PartnerStack rejected the keys. Then only a single request is sent first.
        """
        self.paused_until = self._pausing_until = max(until, self.paused_until or until)
        try:
            with self.locked() as row:
                circuit_breaker.open_until(row, until, reason, probe=bool(rejection))
                if rejection:
                    circuit_breaker.record_answers(row, answered=False, failure=rejection, paused=True)
                    row.rejected_keys = self.keys
        except Error as error:
            logger.warning(
                "Delivery is paused in this process only, because the database failed (%s).", error
            )
        finally:
            self._pausing_until = None

    def pause_for_rate_limit(self, retry_after: float | None) -> None:
        """Pause because PartnerStack has too many requests, or asked to wait ``retry_after`` seconds."""
        pause = (
            RATE_LIMITED_PAUSE if retry_after is None else min(timedelta(seconds=retry_after), LONGEST_PAUSE)
        )
        self.pause(self.clock.now() + pause, "PartnerStack asked for a pause.")

    def pause_for_refused_keys(self, reason: str) -> None:
        """
        Pause because PartnerStack rejected the keys. This does not count as an attempt.

        A process with other keys is not paused.
        """
        until = self.clock.now() + REFUSED_KEYS_PAUSE
        self.pause(until, KEYS_REJECTED.format(reason), rejection=reason)


def site_throttle(mode: str) -> Throttle:
    return Throttle(mode, Clock(), requests_per_minute=conf.requests_per_minute)


def resume_delivery(mode: str) -> bool:
    """
    End the pause of a mode. Returns whether delivery was paused.

    After rejected keys or many failures a single message, the probe, is sent first. Safe to repeat.
    """
    throttle = site_throttle(mode)
    with throttle.locked(durable=False) as row:
        was_paused = throttle.is_open(row)
        circuit_breaker.close(row)
    return was_paused


def record_answer(mode: str, error: PartnerStackError | None = None) -> None:
    """
    Record what a request outside the delivery, such as that of a sync, shows about PartnerStack.

    Rejected keys pause the delivery, accepted keys end that pause, and an outage is known from its beginning.
    An error that is about that request alone changes nothing.
    """
    rows = ThrottleState.objects.using(router.db_for_write(OutboxMessage)).filter(mode=mode)
    if error is None:
        # A read that succeeds disproves that the keys are rejected only if another read said so.
        rows.exclude(rejected_keys="").filter(failure__startswith="GET ").update(
            rejected_keys="", half_open=False, next_slot_at=None, paused_until=None, pause_reason=""
        )
        over = rows.filter(rejected_keys="", failing_since__isnull=False)
        over.update(failing_since=None, failed_at=None, failure="")
    elif isinstance(error, AuthenticationFailed):
        site_throttle(mode).pause_for_refused_keys(str(error))
    elif getattr(error, "retryable", False) and not isinstance(error, RateLimited):
        with site_throttle(mode).locked() as row:
            circuit_breaker.record_answers(row, answered=False, failure=str(error), paused=False)
