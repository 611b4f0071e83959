"""The outcome of an attempt, and when the next attempt is due: the retry delay and its limits."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from ...models import AttemptOutcome, OutboxMessage, State

#: The bounds of the retry delay.
FIRST_DELAY, LONGEST_DELAY = timedelta(seconds=1), timedelta(hours=1)
SHORTEST_PAUSE = timedelta(minutes=5)

#: A message fails after this many attempts, which take most of a day.
ATTEMPTS = 24


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """
    The state of a message after an attempt.

    ``next_try_at``: for SCHEDULED and UNCONFIRMED. ``in_doubt_since``: the time of the last attempt without
    an answer. ``record``: the object as PartnerStack has it now. ``look_up``: how far the look-up has got.
    ``attempt``: how the last request ended. ``counts_as_attempt``: False if the message did not cause the
    failure.
    """

    state: State
    attempt: AttemptOutcome
    reason: str = ""
    next_try_at: datetime | None = None
    in_doubt_since: datetime | None = None
    record: Any = None
    look_up: dict[str, Any] | None = None
    counts_as_attempt: bool = True


def without_answer(outcome: Outcome, problem: str) -> Outcome:
    """The same outcome without what came from outside, because the database refuses to store it."""
    reason = f"The answer was dropped, because the database refused to store it: {problem}"
    return replace(
        outcome, record=None, look_up=None, reason=reason.encode("ascii", "replace").decode()[:500]
    )


def delivered(record: Any, reason: str = "", attempt: AttemptOutcome = AttemptOutcome.DELIVERED) -> Outcome:
    return Outcome(state=State.DELIVERED, attempt=attempt, record=record, reason=reason)


def failed(
    reason: str,
    in_doubt_since: datetime | None = None,
    attempt: AttemptOutcome = AttemptOutcome.FAILED,
) -> Outcome:
    return Outcome(state=State.FAILED, attempt=attempt, reason=reason, in_doubt_since=in_doubt_since)


def on_hold(reason: str, in_doubt_since: datetime) -> Outcome:
    unconfirmed = AttemptOutcome.UNCONFIRMED
    return Outcome(state=State.ON_HOLD, attempt=unconfirmed, reason=reason, in_doubt_since=in_doubt_since)


def release(message: OutboxMessage, reason: str, now: datetime) -> Outcome:
    """Release the message, which did not cause the failure. It is sent as soon as the throttle allows."""
    return _waiting(message, reason, now, counts_as_attempt=False)


def delay(message: OutboxMessage, reason: str, now: datetime) -> Outcome:
    """Delay only this message, which did not cause the failure. The delay grows with its age."""
    wait = max(SHORTEST_PAUSE, now - (message.first_sent_at or now))
    return replace(release(message, reason, now), next_try_at=now + min(wait, LONGEST_DELAY))


def retry_later(message: OutboxMessage, reason: str, now: datetime) -> Outcome:
    """Retry after the retry delay, because the attempt had no effect. Fails after ``ATTEMPTS`` attempts."""
    if message.attempts >= ATTEMPTS:
        return failed(f"Given up after {message.attempts} attempts. {reason}", message.in_doubt_since)
    return _waiting(message, reason, now + retry_delay(message.attempts))


def in_doubt(
    reason: str,
    now: datetime,
    *,
    since: datetime,
    grace: timedelta,
    attempt: AttemptOutcome = AttemptOutcome.UNCONFIRMED,
    look_up: dict[str, Any] | None = None,
    counts_as_attempt: bool = True,
) -> Outcome:
    """
    Look up the attempt in doubt at ``since``, at growing intervals until the grace ends.

    A look-up does not count as an attempt. There is no limit: the last attempt must be looked up.
    """
    grace_ends = since + grace
    # Not negative if the database's clock was set back.
    bound = min(FIRST_DELAY + max(now - since, timedelta()), LONGEST_DELAY)
    at = now + bound * random.uniform(0.5, 1)  # noqa: S311 - spreads load
    at = min(at, grace_ends) if grace_ends > now else at
    return Outcome(
        state=State.UNCONFIRMED,
        attempt=attempt,
        reason=reason,
        next_try_at=at,
        in_doubt_since=since,
        look_up=look_up,
        counts_as_attempt=counts_as_attempt,
    )


def retry_delay(attempts: int) -> timedelta:
    """
    Full jitter: a random time below a bound that doubles with each attempt, from a second to an hour.

    A thousand messages that failed together are therefore not retried together.
    """
    bound = min(FIRST_DELAY * 2 ** min(attempts, 12), LONGEST_DELAY)
    return bound * random.random()  # noqa: S311 - spreads load, guards nothing


def _waiting(message: OutboxMessage, reason: str, at: datetime, *, counts_as_attempt: bool = True) -> Outcome:
    """A message in doubt stays in doubt until it is looked up."""
    return Outcome(
        state=State.UNCONFIRMED if message.in_doubt_since else State.SCHEDULED,
        attempt=AttemptOutcome.RETRY,
        reason=reason,
        next_try_at=at,
        in_doubt_since=message.in_doubt_since,
        look_up=message.look_up,
        counts_as_attempt=counts_as_attempt,
    )
