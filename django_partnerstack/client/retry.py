"""
When a read is retried: if its error is retryable (see ``exceptions.py``) and there is time before the
deadline.

Writes are never retried here, because what the first attempt did must be looked up before the second.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from ..exceptions import RateLimited, RequestError

T = TypeVar("T")

MAX_ATTEMPTS = 4
#: Seconds. Doubled after each failure.
FIRST_DELAY = 0.5
#: PartnerStack limits requests per minute, so a short delay would not help.
FIRST_DELAY_WHEN_LIMITED = 5


#: How clients wait unless their policy says otherwise. Set by tests, and for all threads of the process.
wait: Callable[[float], object] = time.sleep


def _wait(seconds: float) -> None:
    wait(seconds)


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often to try a read, with the clocks and the randomness as functions that tests can replace."""

    attempts: int = MAX_ATTEMPTS
    #: Seconds that only grow, to measure delays and deadlines.
    clock: Callable[[], float] = time.monotonic
    #: Seconds since 1970, to understand a ``Retry-After`` that is a date.
    wall_clock: Callable[[], float] = time.time
    sleep: Callable[[float], object] = _wait
    random: Callable[[], float] = random.random


def retry(attempt: Callable[[], T], deadline: float, policy: RetryPolicy) -> T:
    """
    Call ``attempt`` until it succeeds and return its result.

    Raises its error if that is not retryable, after the policy's last attempt, and if the delay would end
    after ``deadline``, a time of the policy's clock.
    """
    failures = 0
    while True:
        try:
            return attempt()
        except RequestError as error:
            seconds = delay(error, failures, policy)
            failures += 1
            if not error.retryable or failures >= policy.attempts or seconds >= deadline - policy.clock():
                raise
        policy.sleep(seconds)


def delay(error: RequestError, failures: int, policy: RetryPolicy) -> float:
    """
    Seconds to wait after this error and the failures before it.

    As long as ``Retry-After`` asks, else exponential backoff with full jitter.
    """
    asked: float | None = getattr(error, "retry_after", None)
    if asked is not None:
        return asked
    first = FIRST_DELAY_WHEN_LIMITED if isinstance(error, RateLimited) else FIRST_DELAY
    return first * 2**failures * policy.random()
