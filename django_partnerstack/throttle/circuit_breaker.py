"""
The circuit breaker: it pauses all requests if most of them fail or PartnerStack rejects the keys.

*Closed*: requests are sent. *Open*: no request is sent before ``paused_until``. *Half-open*: the pause is
over and a single request, the probe, is sent; its result closes the breaker or opens it again.
"""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from typing import Any

from ..conf import conf
from ..mapping.text import storable

#: The breaker opens when this share of at least this many requests within a minute has failed.
FAILING_SHARE, FAILING_REQUESTS, MINUTE = 0.7, 10, timedelta(minutes=1)
OPEN_FOR = timedelta(seconds=30)

#: The pause after PartnerStack rejected the keys. Then a probe checks whether they were corrected.
REFUSED_KEYS_PAUSE = timedelta(minutes=5)

#: The pause after "too many requests" without a Retry-After header, and the longest pause.
RATE_LIMITED_PAUSE, LONGEST_PAUSE = timedelta(seconds=5), timedelta(hours=1)


class RequestCounter:
    """Counts the requests of this process that the shared row does not include yet. Threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests = self._failures = 0
        self._attempt_ended = False
        #: Why the last request failed.
        self.failure = ""

    def add(self, *, failed: bool, reason: str = "") -> None:
        """Count a request. ``reason``: why it failed."""
        with self._lock:
            self._requests += 1
            self._failures += failed
            self.failure = reason if failed else self.failure

    def end_attempt(self) -> None:
        """Record that an attempt has ended, possibly without a request."""
        with self._lock:
            self._attempt_ended = True

    def take(self) -> tuple[int, int, bool]:
        with self._lock:
            taken = self._requests, self._failures, self._attempt_ended
            self._requests, self._failures, self._attempt_ended = 0, 0, False
        return taken


def update(row: Any, counter: RequestCounter, *, paused: bool) -> None:
    """
    Add this process's requests to the shared row, and open or close the breaker by the result.

    ``row.now`` is the time. Call it with the row locked, and save the row afterwards.
    """
    requests, failures, attempt_ended = counter.take()
    now = row.now
    if requests:
        record_answers(row, answered=requests > failures, failure=counter.failure, paused=paused)
    if row.half_open and attempt_ended and not requests:
        # The probe ended without a request: allow another.
        row.next_slot_at = None
    if row.half_open and requests and not paused:
        row.half_open, row.next_slot_at = bool(failures), None
        row.paused_until = now + OPEN_FOR if failures else None
        row.pause_reason = row.pause_reason if failures else ""
        return
    if row.minute_began_at is None or now - row.minute_began_at > MINUTE:
        row.minute_began_at, row.requests, row.failures = now, 0, 0
    row.requests += requests
    row.failures += failures
    if row.requests >= FAILING_REQUESTS and row.failures >= FAILING_SHARE * row.requests:
        row.pause_reason = f"{row.failures} of {row.requests} requests failed within a minute."
        row.paused_until, row.half_open = max(now + OPEN_FOR, row.paused_until or now), True
        row.requests = row.failures = 0


def record_answers(row: Any, *, answered: bool, failure: str, paused: bool) -> None:
    """Record on the row whether requests succeed, and so whether the keys are accepted."""
    if not answered:
        row.failing_since, row.failed_at = row.failing_since or row.now, row.now
        row.failure = _kept(failure)
        return
    row.failing_since, row.failed_at, row.failure = None, None, ""
    if not paused:
        row.rejected_keys = ""


def open_until(row: Any, until: datetime, reason: str, *, probe: bool) -> None:
    """Pause requests until ``until``. With ``probe``, only a single request is sent first after that."""
    row.paused_until = max(until, row.paused_until or until)
    row.pause_reason, row.half_open = _kept(reason), row.half_open or probe


def _kept(reason: str) -> str:
    """A reason as the row keeps it: short, without keys, and as every database can store it."""
    return storable(conf.without_keys(reason))[:255]


def close(row: Any) -> None:
    """Allow requests at once. If the breaker is half-open, the first request is a probe."""
    row.paused_until, row.pause_reason = None, ""
    if row.half_open:
        row.next_slot_at = None


def forget_rejected_keys(row: Any) -> None:
    """Allow a probe with other keys at once: what was known is about the rejected keys."""
    close(row)
    row.rejected_keys, row.failure = "", ""
    row.failing_since = row.failed_at = None
