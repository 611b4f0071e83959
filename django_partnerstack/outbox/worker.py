"""Delivering: take in, claim, send in threads, write down. Until nothing is due, or as a service."""

from __future__ import annotations

import logging
import queue
import threading
from collections import Counter
from collections.abc import Collection
from datetime import datetime, timedelta

from django.db import Error, connections

from ..client import Client
from .attempt import POLL, Attempts
from .claim import Batch, Claimed, claim
from .clock import Clock
from .deliver import Courier
from .line import Line
from .prune import prune
from .waiting import is_anything_due

logger = logging.getLogger(__name__)

PRUNE_EVERY = timedelta(hours=1)


class Worker:
    """
    Delivers the messages of one mode with some threads, each with a database connection of its own.

    ``request_seconds``: how long one request can take, connecting included. A message is leased for a
    look-up, a sending and time to spare; one for which no thread is free in that time goes back. It ends
    once ``stopping`` is set. Run as many workers as you like, on as many machines.
    """

    def __init__(
        self,
        client: Client,
        *,
        mode: str,
        threads: int = 4,
        request_seconds: float = 35,
        grace_seconds: float = 900,
        requests_per_minute: float = 3600,
        retention_days: float = 90,
        clock: Clock | None = None,
        stopping: threading.Event | None = None,
    ) -> None:
        self.threads = threads
        self.lease = timedelta(seconds=3 * request_seconds + 5)
        self.clock = clock or Clock()
        self.line = Line(mode, self.clock, requests_per_minute=requests_per_minute)
        #: Claimed messages at a time. Twice as many as threads, so that none waits for a claim; where the
        #: pace forgives it up to ten times as many, since a claim costs the same for few and for many.
        self.held = min(max(2 * threads, self.line.forgiven), 10 * threads)
        self.retention = timedelta(days=retention_days)
        self.pruned_at: datetime | None = None
        self.stopping = stopping or threading.Event()
        self.client = client
        courier = Courier(
            client,
            self.line,
            grace=timedelta(seconds=grace_seconds),
            budget=timedelta(seconds=request_seconds),
            lease=self.lease,
            turn=lambda: self.line.turn(self._wait),
        )
        self.attempts = Attempts(courier, wait=self._wait, held=self.held)
        #: When the run under way begins nothing more.
        self._until: datetime | None = None
        self._claimed: queue.SimpleQueue[Claimed | None] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[str] = queue.SimpleQueue()

    def stop(self) -> None:
        """End soon: finish what is being sent, release the rest. Safe to call from a signal handler."""
        self.stopping.set()

    def run(
        self,
        *,
        forever: bool = False,
        limit: int | None = None,
        lanes: Collection[str] | None = None,
        seconds: float | None = None,
    ) -> Counter[str]:
        """
        Deliver until nothing is due, or with ``forever`` until ``stop``. Returns how many came to what.

        ``limit``: messages at most. ``lanes``: these alone. ``seconds``: begin nothing after that time. A
        database that fails is waited for as long as it takes, and some seconds once the worker is to end.
        """
        counts: Counter[str] = Counter()
        self._until = self.clock.now() + timedelta(seconds=seconds) if seconds is not None else None
        team = [threading.Thread(target=self._deliver, daemon=True) for _ in range(self.threads)]
        for thread in team:
            thread.start()
        try:
            self._keep_busy(counts, forever, limit, lanes)
        finally:
            for _ in team:
                self._claimed.put(None)
            for thread in team:
                thread.join()
            self._leave()
            self.client.close()
        self._finished(counts, at_least=0)
        return counts

    def _keep_busy(
        self,
        counts: Counter[str],
        forever: bool,
        limit: int | None,
        lanes: Collection[str] | None,
    ) -> None:
        under_way = begun = 0
        while not self._wait(0):
            free = self.held - under_way
            try:
                batch = self._start(free if limit is None else min(free, limit - begun), lanes)
                begun, under_way = begun + len(batch.claimed), under_way + len(batch.claimed)
                if under_way:
                    under_way -= self._finished(counts, at_least=max(1, under_way - self.held // 2))
                elif batch.more and begun != limit:
                    self.stopping.wait(self.line.interval.total_seconds())
                elif not forever:
                    return
                else:
                    self._prune()
                    self._rest()
            except Error as error:
                logger.warning("The database failed (%s); trying again in %s s.", error, POLL)
                connections.close_all()
                self.stopping.wait(POLL)

    def _wait(self, seconds: float) -> bool:
        """Whether nothing more is to begin, after some seconds or before."""
        return self.stopping.wait(seconds) or (self._until is not None and self.clock.now() >= self._until)

    def _start(self, free: int, lanes: Collection[str] | None) -> Batch:
        """Hand messages to free threads."""
        if free <= 0:
            return Batch()
        batch = claim(self.line, free, lease=self.lease, lanes=lanes)
        for claimed in batch.claimed:
            self._claimed.put(claimed)
        return batch

    def _finished(self, counts: Counter[str], *, at_least: int) -> int:
        """Wait for messages to be done with, but no longer than a poll for one. Returns how many were."""
        number = 0
        while number < at_least or not self._done.empty():
            try:
                counts[self._done.get(timeout=POLL)] += 1
            except queue.Empty:
                break
            number += 1
        return number

    def _leave(self) -> None:
        """Make the lanes due that the last deliveries were of."""
        try:
            claim(self.line, 0, lease=self.lease)
        except Error as error:
            logger.warning("The database failed (%s); some lanes wait until their lease ends.", error)

    def _prune(self) -> None:
        """Forget what was delivered long ago, now and then."""
        now = self.clock.now()
        if self.pruned_at is None or now - self.pruned_at > PRUNE_EVERY:
            prune(self.line.mode, now - self.retention)
            self.pruned_at = now

    def _rest(self) -> None:
        """Wait until something is due. One query a look."""
        while not self.stopping.wait(POLL):
            if is_anything_due(self.line.mode):
                return

    def _deliver(self) -> None:
        """What each thread does: one message after the other, until there is none for it any more."""
        try:
            while (claimed := self._claimed.get()) is not None:
                self._done.put(self.attempts.make(claimed))
        finally:
            connections.close_all()
