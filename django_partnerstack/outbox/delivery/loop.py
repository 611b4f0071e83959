"""The delivery loop: claim messages and attempt each in a thread, until nothing is due or it is stopped."""

from __future__ import annotations

import logging
import queue
import threading
from collections import Counter
from collections.abc import Collection
from datetime import datetime, timedelta

from django.db import Error, connections

from ...client import Client
from ...throttle.clock import Clock
from ...throttle.throttle import Throttle
from ..queue.claim import Batch, Claimed, DeliveredLanes, claim, is_anything_due, lease_time
from ..queue.retention import BATCH, prune
from ..queue.sequencing.waiting import queue_waiting
from .attempt import POLL, AttemptRunner
from .look_up import LookUp
from .requests import Requests
from .sender import Sender

logger = logging.getLogger(__name__)

PRUNE_EVERY = timedelta(hours=1)


class DeliveryLoop:
    """
    Delivers the messages of one mode with several threads. Each thread uses its own database connection.

    ``request_seconds``: how long a request can take, including the connection. ``grace_seconds``: how long
    after an attempt "not found" is not trusted. The loop ends once ``stopping`` is set. Any number of loops
    may run at the same time, on any number of machines.
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
        self.lease = lease_time(request_seconds)
        self.clock = clock or Clock()
        self.throttle = Throttle(mode, self.clock, requests_per_minute=requests_per_minute)
        #: Claimed messages at a time: twice the number of threads, so that no thread waits for a claim. Up to
        #: ten times if late slots may be used, because claiming many costs no more than claiming few.
        self.claim_limit = min(max(2 * threads, self.throttle.rate_limiter.late_slots_allowed), 10 * threads)
        self.retention = timedelta(days=retention_days)
        self.pruned_at: datetime | None = None
        self.stopping = stopping or threading.Event()
        self.client = client
        self.delivered = DeliveredLanes()
        requests = Requests(
            client,
            self.throttle,
            request_time=timedelta(seconds=request_seconds),
            acquire_slot=lambda: self.throttle.acquire_slot(self._wait),
        )
        grace = timedelta(seconds=grace_seconds)
        sender = Sender(requests, LookUp(requests, grace=grace, lease=self.lease), grace=grace)
        self.attempts = AttemptRunner(sender, self.delivered, wait=self._wait, claimed_slots=self.claim_limit)
        #: When this run stops starting attempts.
        self._until: datetime | None = None
        #: Whether other threads make the attempts, and not the thread that claims.
        self._has_team = False
        self._claimed: queue.SimpleQueue[Claimed | None] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[str] = queue.SimpleQueue()

    def stop(self) -> None:
        """Finish what is being sent, release the rest, and end. Safe to call from a signal handler."""
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
        Deliver until nothing is due, or with ``forever`` until ``stop``. Returns the attempts by new state.

        ``limit``: at most this many messages. ``lanes``: only these lanes. ``seconds``: start no attempt
        after that time. Waits for a failing database as long as it takes, or some seconds while stopping.
        """
        counts: Counter[str] = Counter()
        self._until = self.clock.now() + timedelta(seconds=seconds) if seconds is not None else None
        team = self._start_team()
        self._has_team = bool(team)
        try:
            self._keep_busy(counts, forever, limit, lanes)
        finally:
            for _ in team:
                self._claimed.put(None)
            for thread in team:
                thread.join()
            self._release_lanes()
            self.client.close()
        self._collect(counts, at_least=0)
        return counts

    def _start_team(self) -> list[threading.Thread]:
        """
        The threads that deliver. None if there is one only, because this thread then does it itself.

        Also none if Python is ending and starts no more threads.
        """
        team: list[threading.Thread] = []
        for _ in range(self.threads if self.threads > 1 else 0):
            thread = threading.Thread(target=self._deliver, daemon=True)
            try:
                thread.start()
            except RuntimeError:
                break
            team.append(thread)
        return team

    def _keep_busy(
        self,
        counts: Counter[str],
        forever: bool,
        limit: int | None,
        lanes: Collection[str] | None,
    ) -> None:
        in_progress = started = 0
        while not self._wait(0):
            free = self.claim_limit - in_progress
            try:
                batch = self._start(free if limit is None else min(free, limit - started), lanes)
                started, in_progress = started + len(batch.claimed), in_progress + len(batch.claimed)
                if in_progress:
                    in_progress -= self._collect(counts, at_least=max(1, in_progress - self.claim_limit // 2))
                elif batch.more and started != limit:
                    self.stopping.wait(self.throttle.rate_limiter.interval.total_seconds())
                elif not forever:
                    return
                else:
                    self._wait_until_due()
                if forever:
                    self._prune()
            except Error as error:
                logger.warning("The database failed (%s); trying again in %s s.", error, POLL)
                connections.close_all()
                self.stopping.wait(POLL)

    def _wait(self, seconds: float) -> bool:
        """Sleep until the time is over or the loop is stopped. Returns whether no attempt may start."""
        return self.stopping.wait(seconds) or (self._until is not None and self.clock.now() >= self._until)

    def _start(self, free: int, lanes: Collection[str] | None) -> Batch:
        if free <= 0:
            return Batch()
        batch = claim(self.throttle, self.delivered, free, lease=self.lease, lanes=lanes)
        for claimed in batch.claimed:
            if self._has_team:
                self._claimed.put(claimed)
            else:
                self._done.put(self.attempts.run(claimed))
        return batch

    def _collect(self, counts: Counter[str], *, at_least: int) -> int:
        """Wait until attempts end, for at most one poll each. Returns how many ended."""
        number = 0
        while number < at_least or not self._done.empty():
            try:
                counts[self._done.get(timeout=POLL)] += 1
            except queue.Empty:
                break
            number += 1
        return number

    def _release_lanes(self) -> None:
        """Make the lanes of the last deliveries due."""
        try:
            claim(self.throttle, self.delivered, 0, lease=self.lease)
        except Error as error:
            logger.warning(
                "The database failed (%s); some lanes are not due before their lease expires.", error
            )

    def _prune(self) -> None:
        """
        Once an hour, delete old delivered messages and look for customers that messages wait for.

        Deletes one batch at a time, so that deliveries go on.
        """
        now = self.clock.now()
        if self.pruned_at is not None and now - self.pruned_at <= PRUNE_EVERY:
            return
        if prune(self.throttle.mode, now - self.retention, batches=1) < BATCH:
            # A sync does this at once, unless its process died before.
            queue_waiting(self.throttle.mode)
            self.pruned_at = now

    def _wait_until_due(self) -> None:
        """Poll until something is due, with one query a poll."""
        while not self.stopping.wait(POLL):
            if is_anything_due(self.throttle.mode):
                return

    def _deliver(self) -> None:
        """What each thread runs: it attempts the claimed messages one after the other."""
        try:
            while (claimed := self._claimed.get()) is not None:
                self._done.put(self.attempts.run(claimed))
        finally:
            connections.close_all()
