"""Running the worker as a command: signals, and a log for those who have configured none."""

from __future__ import annotations

import logging
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from django.db import connections

from ..conf import conf
from ..worker import Service
from ..worker.job import Job

logger = logging.getLogger("django_partnerstack")

#: The last paragraph of the commands that send. The README has the whole.
GUARANTEE = (
    " What is committed is sent until PartnerStack has it, and has its effect once: an attempt without an "
    "answer is looked up before it is repeated. Limits: a message that PartnerStack rejects, that is not "
    "accepted in 24 attempts, or that cannot be looked up (events) is failed or on hold until you act on it "
    "in the admin."
)


def run_service(jobs: Sequence[Job]) -> None:
    """Run the jobs until SIGTERM or Ctrl-C."""
    # The rest of the process uses the database in other threads.
    connections.close_all()
    service = Service(jobs, mode=conf.mode)
    with stopped_by_signals(service.stop):
        service.run()


@contextmanager
def stopped_by_signals(stop: Callable[[], None]) -> Iterator[None]:
    """SIGTERM and Ctrl-C call ``stop``, for the block."""
    numbers = (signal.SIGTERM, signal.SIGINT)
    before = {number: signal.signal(number, lambda *_: stop()) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def log_to_console() -> None:
    """Log to the standard error, unless the site's ``LOGGING`` handles this app's messages."""
    if not logger.hasHandlers():
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
