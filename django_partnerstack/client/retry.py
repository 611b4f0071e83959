"""When a read is tried again. Writes never are: what they did must be looked up first."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from ..exceptions import RateLimited, RequestError

T = TypeVar("T")

ATTEMPTS = 4
FIRST_WAIT = 0.5
#: The limit counts requests per minute, so a short wait is of no use.
FIRST_WAIT_WHEN_LIMITED = 5


@dataclass(frozen=True, slots=True)
class Pace:
    """Time and chance, as functions, so that nobody has to wait for a test."""

    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], object] = time.sleep
    random: Callable[[], float] = random.random
    #: Seconds since 1970, to understand a ``Retry-After`` that is a date.
    wall_clock: Callable[[], float] = time.time
    #: How often a read is tried at most.
    attempts: int = ATTEMPTS


def retrying(attempt: Callable[[], T], ends: float, pace: Pace) -> T:
    """
    What ``attempt`` returns, tried again while the error is retryable.

    Waits as ``Retry-After`` says, else a random time up to a doubling bound. Raises the error at once if
    the wait would not end before ``ends`` (by the pace's clock).
    """
    failures = 0
    while True:
        try:
            return attempt()
        except RequestError as error:
            pause = wait(error, failures, pace)
            failures += 1
            if not error.retryable or failures >= pace.attempts or pause >= ends - pace.clock():
                raise
        pace.sleep(pause)


def wait(error: RequestError, failures: int, pace: Pace) -> float:
    """Seconds before the next attempt, after this error and the failures before it."""
    asked: float | None = getattr(error, "retry_after", None)
    if asked is not None:
        return asked
    first = FIRST_WAIT_WHEN_LIMITED if isinstance(error, RateLimited) else FIRST_WAIT
    return first * 2**failures * pace.random()
