"""
The thread that sends wake-ups, so that code that queues a message neither waits for them nor fails with them.

Celery needs 6 seconds to notice that nothing listens at its broker's address. It waits for ever, even without
retries, for a Redis that accepts a connection and does not answer.
"""

from __future__ import annotations

import atexit
import logging
import threading
from collections.abc import Callable, Sequence

from django.db import connections

logger = logging.getLogger(__name__)

#: Has the messages of some lanes delivered. Starts nothing more once the event is set.
Backend = Callable[[Sequence[str], threading.Event], None]

#: Seconds between two wake-ups. All lanes of that time share a wake-up.
PAUSE = 0.5

#: The most lanes that can wait for a wake-up. Further messages wait for the next worker.
MAX_LANES = 1000

#: Seconds that the end of the process waits for a running wake-up, and then again for it to stop.
PATIENCE = 5.0


class WakeupThread:
    """
    Calls a backend in a thread: at once for the first lane, then for all lanes of half a second together.

    An outage is logged when it begins, not for each wake-up. The thread ends when no lane is left.
    """

    def __init__(self, backend: Backend, *, pause: float = PAUSE, patience: float = PATIENCE) -> None:
        self._backend = backend
        self._pause = pause
        self._patience = patience
        self._lock = threading.Lock()
        self._lanes: dict[str, None] = {}
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()
        self._failing = False
        atexit.register(self.close)

    def notify(self, lane: str) -> None:
        """Have this lane's messages delivered soon. Returns at once."""
        with self._lock:
            if len(self._lanes) < MAX_LANES:
                self._lanes[lane] = None
            # A thread does not survive a fork.
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="partnerstack-dispatch", daemon=True)
                self._thread.start()

    def close(self) -> None:
        """Give the last wake-ups some seconds, then stop."""
        if not self.wait(self._patience):
            self._stopping.set()
            self.wait(self._patience)

    def wait(self, seconds: float) -> bool:
        """Wait until all wake-ups are sent, but not longer than ``seconds``. False if some are not."""
        thread = self._thread
        if thread is not None:
            thread.join(seconds)
        return thread is None or not thread.is_alive()

    def _run(self) -> None:
        while lanes := self._take():
            self._wake(lanes)
            self._stopping.wait(self._pause)

    def _take(self) -> list[str]:
        with self._lock:
            lanes = [] if self._stopping.is_set() else list(self._lanes)
            self._lanes.clear()
            if not lanes:
                self._thread = None
            return lanes

    def _wake(self, lanes: list[str]) -> None:
        """Survives every error of a broker or of the site's function: the next worker sends the messages."""
        try:
            self._backend(lanes, self._stopping)
            self._failing = False
        except Exception:
            if not self._failing:
                logger.exception("The wake-up failed; the next worker sends the messages.")
            self._failing = True
        finally:
            connections.close_all()
