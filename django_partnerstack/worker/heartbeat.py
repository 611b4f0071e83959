"""The row by which others know that this worker runs, and what it does."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Event

from django.db import Error, router
from django.utils import timezone

from .. import __version__
from ..models import Worker
from ..models.worker import BEAT, REMOVED_AFTER
from ..privacy.retention import prune_clicks
from ..throttle.clock import Now
from .job import Job, Say

logger = logging.getLogger(__name__)

#: Beats between two lines in the log.
BEATS_PER_LINE = round(timedelta(minutes=1) / BEAT)
#: Beats between two deletions of what is old.
BEATS_PER_PRUNING = round(timedelta(hours=1) / BEAT)


class Heartbeat:
    """Records every 20 seconds that this process runs. ``jobs`` returns what each job does now."""

    def __init__(self, mode: str, jobs: Callable[[], dict[str, str]]) -> None:
        self.mode = mode
        self.jobs = jobs
        self.started_at: datetime | None = None
        self._pk: int | None = None
        self._rows = Worker.objects.using(router.db_for_write(Worker))

    def beat(self) -> None:
        """One UPDATE; an INSERT at first, and if the row was removed while this process was frozen."""
        if self._pk is None or not self._update(self._pk, stopped_at=None):
            row = self._rows.create(
                mode=self.mode,
                host=socket.gethostname(),
                pid=os.getpid(),
                version=__version__,
                started_at=self.started_at or Now(),
                seen_at=Now(),
                jobs=self.jobs(),
            )
            row.refresh_from_db(using=self._rows.db)
            self._pk, self.started_at = row.pk, row.started_at

    def end(self) -> None:
        """Record that this process has stopped."""
        if self._pk is not None:
            self._update(self._pk, stopped_at=Now())

    def remove_old(self) -> None:
        """Remove the rows of workers that were last seen a week ago. Safe to run in several processes."""
        self._rows.filter(seen_at__lt=timezone.now() - REMOVED_AFTER).delete()

    def _update(self, pk: int, **columns: object) -> int:
        return self._rows.filter(pk=pk).update(seen_at=Now(), jobs=self.jobs(), **columns)


def heartbeat(mode: str, jobs: Callable[[], dict[str, str]]) -> Job:
    """The job that records the heartbeat, and logs one line a minute."""
    heart = Heartbeat(mode, jobs)

    def run(stopping: Event, say: Say) -> None:
        heart.remove_old()
        beats = 0
        while not stopping.is_set():
            heart.beat()
            if beats % BEATS_PER_PRUNING == 0:
                prune_clicks(mode, timezone.now())
            if beats and beats % BEATS_PER_LINE == 0:
                logger.info("Running. %s", in_words(jobs()))
            beats += 1
            stopping.wait(BEAT.total_seconds())
        try:
            heart.end()
        except Error as error:
            logger.warning("The database failed (%s); it still shows this worker as running.", error)

    return Job("heartbeat", run)


def in_words(jobs: dict[str, str]) -> str:
    return "; ".join(f"{name}: {does}" for name, does in jobs.items())
