"""
The line to PartnerStack, as all workers of the site share it: how fast, and whether at all.

One row a mode. Whoever wants messages or a slot locks it first, so that claims come one after the other.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.db import Error, connections, models, router, transaction

from ..exceptions import PartnerStackError
from ..models import OutboxConnection, OutboxMessage
from .breaker import Tally, settle
from .clock import Clock, Moment

logger = logging.getLogger(__name__)

#: No message is claimed whose turn is further away than this.
HORIZON = timedelta(seconds=1)

#: A request leaves on knowledge of the line that is no older.
FRESH = timedelta(seconds=0.1)

#: A slot that could not be used for so long, for want of a free thread, is not used on top of the later ones.
LATE = timedelta(seconds=0.05)

#: It is, where all late ones of so many workers together make no second fuller by a twentieth.
WORKERS = 20

#: After the keys were refused: one message tries again, in case they have been put right.
REFUSED_FOR = timedelta(minutes=5)

#: How long the line stays closed after "too many requests" without a time, and at most.
LIMITED_FOR, LIMITED_AT_MOST = timedelta(seconds=5), timedelta(hours=1)

STOPPED = "The worker was stopped."


class LineClosed(PartnerStackError):
    """Nothing may leave now, by no fault of the message."""


class Line:
    """One process's end of the line."""

    def __init__(self, mode: str, clock: Clock, *, requests_per_minute: float) -> None:
        self.mode = mode
        self.clock = clock
        self.interval = max(timedelta(minutes=1) / requests_per_minute, timedelta.resolution)
        #: So many requests of each worker may be late. None at the pace that PartnerStack allows.
        self.forgiven = LATE // (WORKERS * self.interval)
        self.tally = Tally()
        #: What this process knows, so that its threads stop before the row is read again.
        self.closed_until: datetime | None = None
        #: What it is about to write into the shared row.
        self._closing: datetime | None = None
        self._known_at = clock.now()
        self._delivered: deque[tuple[str, datetime]] = deque()

    def delivered(self, lane: str, lease_until: datetime) -> None:
        """Remember a lane whose first message is out of the way, for the next claim to make it due."""
        self._delivered.append((lane, lease_until))

    def take_delivered(self) -> list[tuple[str, datetime]]:
        return [self._delivered.popleft() for _ in range(len(self._delivered))]

    @contextmanager
    def locked(self, *, durable: bool = True) -> Iterator[OutboxConnection]:
        """
        The shared row, locked until the end of the block, which is one transaction; saved then.

        Not ``durable``: it may be a part of a greater one, such as a person's request.
        """
        using = router.db_for_write(OutboxMessage)
        with transaction.atomic(using, durable=durable):
            row = self._lock(using)
            self.clock.set(row.now)
            row.now = self.clock.now()
            settle(row, self.tally, is_closed=self.is_closed(row))
            yield row
            row.save()
            self._know(row.closed_until)

    def _lock(self, using: str) -> OutboxConnection:
        rows: models.QuerySet[Any] = OutboxConnection.objects.using(using).filter(mode=self.mode)
        if not connections[using].features.has_select_for_update:
            # SQLite lets one writer in: an UPDATE makes this the one.
            rows.update(mode=self.mode)
        rows = rows.select_for_update().annotate(now=Moment())
        row = rows.first()
        if row is None:
            OutboxConnection.objects.using(using).get_or_create(mode=self.mode)
            row = rows.get()
        return row

    def is_closed(self, row: OutboxConnection) -> bool:
        return row.closed_until is not None and row.closed_until > self.clock.now()

    def slots(self, row: OutboxConnection, wanted: int) -> list[datetime]:
        """The times of the next requests: at most ``wanted``, none beyond the horizon."""
        now = self.clock.now()
        first = max(now, row.next_slot_at or now)
        if not row.probing:
            # Further away only if the database's clock was set back.
            first = min(first, now + HORIZON + self.interval)
        fitting = int((now + HORIZON - first) / self.interval) + 1 if first <= now + HORIZON else 0
        count = min(wanted, fitting)
        row.next_slot_at = first + count * self.interval
        return [first + number * self.interval for number in range(count)]

    def turn(self, wait: Callable[[float], object]) -> None:
        """Wait for one more slot. Raises LineClosed if nothing may leave now."""
        while True:
            try:
                with self.locked() as row:
                    slots = [] if self.is_closed(row) else self._one_slot(row)
            except Error as error:
                raise LineClosed(f"The database failed: {error}") from error
            if slots:
                return self._wait(slots[0], wait)
            self.check()
            if wait(HORIZON.total_seconds() / 2):
                raise LineClosed(STOPPED)

    def _one_slot(self, row: OutboxConnection) -> list[datetime]:
        """While a probe is out nobody else gets a slot, and the probe need not wait for a further one."""
        return [self.clock.now()] if row.probing else self.slots(row, 1)

    def wait_for(self, slot: datetime, wait: Callable[[float], object], *, held: int) -> None:
        """
        Wait until a slot has come, or for another if it is past. Raises LineClosed if nothing may leave then.

        ``wait`` sleeps for some seconds, and returns something true if the worker is to stop. ``held``: how
        many slots this process has at most.
        """
        if held > self.forgiven and self.clock.now() - slot > LATE:
            self.turn(wait)
        else:
            self._wait(slot, wait)

    def _wait(self, slot: datetime, wait: Callable[[float], object]) -> None:
        left = (slot - self.clock.now()).total_seconds()
        if wait(max(left, 0)):
            raise LineClosed(STOPPED)
        self.check()

    def check(self) -> None:
        """Raises LineClosed if nothing may leave. Another process may have closed the line a moment ago."""
        if self.clock.now() - self._known_at > FRESH:
            self._ask()
        if self.closed_until is not None and self.closed_until > self.clock.now():
            raise LineClosed(f"Nothing leaves before {self.closed_until:%H:%M:%S} UTC.")

    def _ask(self) -> None:
        using = router.db_for_write(OutboxMessage)
        rows = OutboxConnection.objects.using(using).filter(mode=self.mode)
        try:
            self._know(rows.values_list("closed_until", flat=True).first())
        except Error as error:
            raise LineClosed(f"The database failed: {error}") from error

    def _know(self, closed_until: datetime | None) -> None:
        self.closed_until = max(filter(None, (closed_until, self._closing)), default=None)
        self._known_at = self.clock.now()

    def close(self, until: datetime, reason: str, *, probing: bool = False) -> None:
        """Let nothing leave before ``until``; with ``probing`` a single message goes first then."""
        self.closed_until = self._closing = max(until, self.closed_until or until)
        try:
            with self.locked() as row:
                row.closed_until = max(until, row.closed_until or until)
                row.closed_reason, row.probing = reason[:255], row.probing or probing
        except Error as error:
            logger.warning(
                "Only this process knows that nothing leaves now: the database failed (%s).", error
            )
        finally:
            self._closing = None

    def limited(self, seconds: float | None) -> None:
        """PartnerStack said "too many requests", or asked for a pause."""
        pause = LIMITED_FOR if seconds is None else min(timedelta(seconds=seconds), LIMITED_AT_MOST)
        self.close(self.clock.now() + pause, "PartnerStack asked for a pause.")

    def refused(self, reason: str) -> None:
        """The keys were refused. Nothing of what is queued is to blame, so no message spends an attempt."""
        self.close(self.clock.now() + REFUSED_FOR, reason, probing=True)
