"""The breaker: where most requests fail, nothing leaves for a while, and then one message tries."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

#: This share of at least so many requests in a minute failed.
FAILING_SHARE, FAILING_REQUESTS, MINUTE = 0.7, 10, timedelta(minutes=1)
OPEN_FOR = timedelta(seconds=30)


class Tally:
    """Requests of this process that the shared row does not know of yet. Threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests = self._failures = 0
        self._ended = False

    def add(self, *, failed: bool) -> None:
        with self._lock:
            self._requests += 1
            self._failures += failed

    def end(self) -> None:
        """Remember that a message was dealt with, perhaps without a request."""
        with self._lock:
            self._ended = True

    def take(self) -> tuple[int, int, bool]:
        with self._lock:
            taken = self._requests, self._failures, self._ended
            self._requests, self._failures, self._ended = 0, 0, False
        return taken


def settle(row: Any, tally: Tally, *, is_closed: bool) -> None:
    """
    Count in the shared row what this process has done since the last time, and open or close the breaker.

    ``row.now`` is the time. Call it with the row locked; whoever locked it saves it.
    """
    requests, failures, ended = tally.take()
    now = row.now
    if row.probing and ended and not requests:
        # The probe could not be sent: another one goes.
        row.next_slot_at = None
    if row.probing and requests and not is_closed:
        row.probing, row.next_slot_at = bool(failures), None
        row.closed_until = now + OPEN_FOR if failures else None
        row.closed_reason = row.closed_reason if failures else ""
        return
    if row.minute_began_at is None or now - row.minute_began_at > MINUTE:
        row.minute_began_at, row.requests, row.failures = now, 0, 0
    row.requests += requests
    row.failures += failures
    if row.requests >= FAILING_REQUESTS and row.failures >= FAILING_SHARE * row.requests:
        row.closed_reason = f"{row.failures} of {row.requests} requests failed within a minute."
        row.closed_until, row.probing = max(now + OPEN_FOR, row.closed_until or now), True
        row.requests = row.failures = 0
