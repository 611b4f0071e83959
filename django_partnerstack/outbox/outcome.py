"""What an attempt to send a message came to."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from ..models import OutboxMessage, State

FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=1), timedelta(hours=1)
SHORTEST_PAUSE = timedelta(minutes=5)

#: A message that failed so often, which takes most of a day, needs a person.
ATTEMPTS = 24


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """
    Where a message stands after an attempt.

    ``again_at``: when to try again, for READY and UNKNOWN. ``in_doubt_since``: the last attempt of which
    nobody knows what it did. ``record``: the object as PartnerStack has it now. ``spent``: whether the
    attempt counts; it does not if the message was not to blame.
    """

    state: State
    reason: str = ""
    again_at: datetime | None = None
    in_doubt_since: datetime | None = None
    record: Any = None
    spent: bool = True


def delivered(record: Any, reason: str = "") -> Outcome:
    return Outcome(state=State.DELIVERED, record=record, reason=reason)


def dead(reason: str, in_doubt_since: datetime | None = None) -> Outcome:
    return Outcome(state=State.DEAD, reason=reason, in_doubt_since=in_doubt_since)


def held(reason: str, in_doubt_since: datetime) -> Outcome:
    return Outcome(state=State.HELD, reason=reason, in_doubt_since=in_doubt_since)


def postponed(message: OutboxMessage, reason: str, now: datetime) -> Outcome:
    """Nothing is wrong with the message; it goes as soon as the line lets it."""
    doubt = message.in_doubt_since
    state = State.UNKNOWN if doubt else State.READY
    return Outcome(state=state, reason=reason, again_at=now, in_doubt_since=doubt, spent=False)


def put_off(message: OutboxMessage, reason: str, now: datetime) -> Outcome:
    """Nothing is wrong with the message, and others may go: it alone waits, the longer the older it is."""
    wait = max(SHORTEST_PAUSE, now - (message.first_sent_at or now))
    return replace(postponed(message, reason, now), again_at=now + min(wait, LONGEST_WAIT))


def again(message: OutboxMessage, reason: str, now: datetime) -> Outcome:
    """This attempt did nothing: try again later. Dead if it was tried too often."""
    doubt = message.in_doubt_since
    return _waiting(message, reason, now + retry_delay(message.attempts), doubt)


def doubtful(
    message: OutboxMessage,
    reason: str,
    now: datetime,
    *,
    since: datetime,
    grace: timedelta,
    spent: bool = True,
) -> Outcome:
    """
    Nobody knows what an attempt at ``since`` did: look it up, at growing intervals until the grace is over.

    A look-up does not spend an attempt; only sending does. Whatever was sent last is looked up, so that this
    never gives up.
    """
    over = since + grace
    # Not below zero if the database's clock was set back.
    bound = min(FIRST_WAIT + max(now - since, timedelta()), LONGEST_WAIT)
    at = now + bound * random.uniform(0.5, 1)  # noqa: S311 - spreads load
    at = min(at, over) if over > now else at
    return Outcome(state=State.UNKNOWN, reason=reason, again_at=at, in_doubt_since=since, spent=spent)


def retry_delay(attempts: int) -> timedelta:
    """
    Full jitter: any time up to a bound that doubles with each attempt, from a second to an hour.

    So that a thousand messages that failed together do not come back together.
    """
    bound = min(FIRST_WAIT * 2 ** min(attempts, 12), LONGEST_WAIT)
    return bound * random.random()  # noqa: S311 - spreads load, guards nothing


def _waiting(message: OutboxMessage, reason: str, at: datetime, doubt: datetime | None) -> Outcome:
    if message.attempts >= ATTEMPTS:
        return dead(f"Given up after {message.attempts} attempts. {reason}", doubt)
    state = State.UNKNOWN if doubt else State.READY
    return Outcome(state=state, reason=reason, again_at=at, in_doubt_since=doubt)
