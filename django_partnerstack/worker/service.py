"""Runs jobs side by side until it is stopped, and ends in seconds whatever the database does."""

from __future__ import annotations

import logging
import queue
import time
from collections.abc import Sequence
from threading import Event, Thread

from django.db import Error, connections, router

from ..conf import conf
from ..models import Worker
from .heartbeat import heartbeat
from .job import Job

logger = logging.getLogger(__name__)

#: Seconds after which a job that failed is started again.
RESTART = 5.0
#: Seconds between two lines about the same failure.
REPEAT = 60.0
#: Seconds that jobs have to end. Longer than a stopping delivery waits for a failing database.
PATIENCE = 5.0
#: Seconds in which a database that is not frozen answers.
ANSWERS_WITHIN = 2.0
#: Seconds to record that the worker has stopped.
LAST_BEAT = 1.0


class Service:
    """
    Runs each job in a thread. A job that fails is started again after some seconds; the others go on.

    The thread that calls ``run`` never uses the database, so that it can always end the process. ``restart``
    and ``patience`` are the seconds until a failed job is started again, and that jobs have to end.
    """

    def __init__(
        self, jobs: Sequence[Job], *, mode: str, restart: float = RESTART, patience: float = PATIENCE
    ) -> None:
        self.jobs = jobs
        self.mode = mode
        self.restart = restart
        self.patience = patience
        self._does = {job.name: "starting" for job in jobs}
        self._stopping, self._ended = Event(), Event()
        # Unlike an event, a queue can be filled by a signal handler that interrupts whoever waits for it.
        self._orders: queue.SimpleQueue[None] = queue.SimpleQueue()

    def stop(self) -> None:
        """End soon. Safe to repeat and to call from a signal handler or another thread."""
        self._orders.put(None)

    def run(self) -> bool:
        """
        Run until ``stop``. Returns False if a job was still busy when the service gave up waiting for it.

        Nothing is lost then: what it had claimed is left to other processes when its lease expires.
        """
        threads = [(job, self._start(job, self._stopping)) for job in self.jobs]
        heart = self._start(heartbeat(self.mode, lambda: dict(self._does)), self._ended)
        self._orders.get()
        self._stopping.set()
        busy = self._wait_for(threads)
        self._ended.set()
        heart.join(LAST_BEAT)
        if busy:
            logger.warning("Stopped while busy: %s.", ", ".join(job.name for job in busy))
        return not busy

    def _wait_for(self, threads: list[tuple[Job, Thread]]) -> list[Job]:
        """Wait for the jobs to end. Returns those that do not."""
        began = time.monotonic()
        for _, thread in threads:
            thread.join(max(0, began + self.patience - time.monotonic()))
        sending = [(job, thread) for job, thread in threads if thread.is_alive() and job.seconds_to_end]
        if sending and database_answers(ANSWERS_WITHIN):
            for job, thread in sending:
                thread.join(max(0, began + self.patience + job.seconds_to_end - time.monotonic()))
        return [job for job, thread in threads if thread.is_alive()]

    def _start(self, job: Job, stopping: Event) -> Thread:
        thread = Thread(target=self._keep_running, args=(job, stopping), name=f"partnerstack-{job.name}")
        # So that the process can end even if the thread cannot.
        thread.daemon = True
        thread.start()
        return thread

    def _keep_running(self, job: Job, stopping: Event) -> None:
        said, said_at = "", 0.0

        def say(text: str) -> None:
            if job in self.jobs:
                self._does[job.name] = text

        while not stopping.is_set():
            try:
                job.run(stopping, say)
            except (Exception, SystemExit) as error:
                text = conf.without_keys(" ".join(f"{type(error).__name__}: {error}".split()))
                say(f"failed, trying again: {text}"[:255])
                if text != said or time.monotonic() > said_at + REPEAT:
                    said, said_at = text, time.monotonic()
                    trace = None if isinstance(error, Error) else error
                    logger.error("%s failed; trying again. %s", job.name, text, exc_info=trace)
            finally:
                connections.close_all()
            stopping.wait(self.restart)


def database_answers(seconds: float) -> bool:
    """Whether the database of the workers answers a new connection within some seconds, or fails."""
    thread = Thread(target=_ask, name="partnerstack-ask", daemon=True)
    thread.start()
    thread.join(seconds)
    return not thread.is_alive()


def _ask() -> None:
    try:
        with connections[router.db_for_write(Worker)].cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error:
        pass
    finally:
        connections.close_all()
