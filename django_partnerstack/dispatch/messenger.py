"""
Wake-ups sent from a thread, so that who queues a message neither waits for them nor fails with them.

Celery takes 6 seconds to find that nothing listens at its broker's address, and waits for ever for a Redis
that accepts a connection and says nothing, also when it is told not to try again.
"""

from __future__ import annotations

import atexit
import logging
import threading
from collections.abc import Callable, Sequence

from django.db import connections

logger = logging.getLogger(__name__)

#: Carries a wake-up for some lanes; begins nothing more once the event is set.
Waker = Callable[[Sequence[str], threading.Event], None]

#: Seconds between two wake-ups. What is queued in between shares the second.
PAUSE = 0.5

#: Lanes that wait for a wake-up at most. What is queued beyond is left to the next worker that looks.
MOST = 1000

#: Seconds that the end of the process waits for what is under way, and then for it to stop.
PATIENCE = 5.0


class WakeupThread:
    """
    Calls a waker in a thread: at once after a silence, else for all lanes of the last half second together.

    An outage is logged when it begins, not with each wake-up. The thread ends when nobody calls any more.
    """

    def __init__(self, wake: Waker, *, pause: float = PAUSE, patience: float = PATIENCE) -> None:
        self._wake = wake
        self._pause = pause
        self._patience = patience
        self._lock = threading.Lock()
        self._lanes: dict[str, None] = {}
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()
        self._failing = False
        atexit.register(self.close)

    def tell(self, lane: str) -> None:
        """Have this lane's messages delivered soon. Returns at once."""
        with self._lock:
            if len(self._lanes) < MOST:
                self._lanes[lane] = None
            # A thread does not survive a fork.
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="partnerstack-dispatch", daemon=True)
                self._thread.start()

    def close(self) -> None:
        """Let the last wake-ups out, within some seconds."""
        if not self.wait(self._patience):
            self._stopping.set()
            self.wait(self._patience)

    def wait(self, seconds: float) -> bool:
        """Whether all wake-ups are carried out, at the latest after so many seconds."""
        thread = self._thread
        if thread is not None:
            thread.join(seconds)
        return thread is None or not thread.is_alive()

    def _run(self) -> None:
        while lanes := self._take():
            self._try(lanes)
            self._stopping.wait(self._pause)

    def _take(self) -> list[str]:
        with self._lock:
            lanes = [] if self._stopping.is_set() else list(self._lanes)
            self._lanes.clear()
            if not lanes:
                self._thread = None
            return lanes

    def _try(self, lanes: list[str]) -> None:
        """Whatever a broker or a host's function raises: the messages are safe, the next worker has them."""
        try:
            self._wake(lanes, self._stopping)
            self._failing = False
        except Exception:
            if not self._failing:
                logger.exception("No worker could be woken; messages wait for the next that looks.")
            self._failing = True
        finally:
            connections.close_all()
