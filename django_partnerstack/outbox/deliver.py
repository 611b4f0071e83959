"""Sending one message, and understanding what came of it. Nothing is written to the messages in here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from ..client import Client
from ..exceptions import (
    AuthenticationFailed,
    Conflict,
    Forbidden,
    InvalidArgument,
    NotFound,
    NotSent,
    PartnerStackError,
    RateLimited,
    RequestError,
)
from ..models import OutboxMessage, State
from .enqueue import fingerprint
from .line import Line
from .operations import OPERATIONS, Operation
from .outcome import ATTEMPTS, Outcome, again, dead, delivered, doubtful, held, postponed, put_off

UNCLEAR = "No answer tells whether PartnerStack carried it out, and it cannot be looked up: {}"

CONVERSIONS_REFUSED = "PARTNERSTACK_TRACKING_TOKEN was refused; nothing but conversions waits for it. {}"

GIVEN_UP = "Given up after {} attempts: PartnerStack has no {}, and sending it was in vain each time."
NO_SUCH_CLICK = (
    "{} Conversions are accepted whether or not PartnerStack knows the click, here {!r}. See whether "
    "PARTNERSTACK_TRACKING_TOKEN and the key pair are of one account and mode; else assign a partner by hand."
)


@dataclass(frozen=True)
class Courier:
    """
    Carries messages to PartnerStack for one process. Threads may share it.

    ``grace``: how long "not found" proves nothing after a write. ``budget``: how long one request can take,
    and ``lease`` how long before it was in doubt a message may have been sent. ``turn``: waits for the next
    free slot of the shared line.
    """

    client: Client
    line: Line
    grace: timedelta
    budget: timedelta
    lease: timedelta
    turn: Callable[[], None]

    def deliver(self, message: OutboxMessage, lease_until: datetime) -> Outcome:
        """
        Send a claimed message, unless a look-up shows that an earlier attempt got through.

        Nothing is sent that could outlast the lease.
        """
        operation = OPERATIONS[message.operation]
        if fingerprint(message.payload) != message.fingerprint:
            return dead("The content was changed after it was queued.", message.in_doubt_since)
        if message.in_doubt_since is not None and not operation.repeatable:
            found = self._look_up(operation, message, message.in_doubt_since)
            if found is not None:
                return found
            if message.attempts > ATTEMPTS:
                return replace(dead(_given_up(operation, message), message.in_doubt_since), spent=False)
            self.turn()
        now = self.line.clock.now()
        if now + self.budget > lease_until:
            if message.in_doubt_since is None:
                return postponed(message, "There was no time left to send it.", now)
            # Spends an attempt, lest a look-up that takes too long is repeated for ever.
            return again(message, "There was no time left to send it in the same turn.", now)
        return self._send(operation, message)

    def _send(self, operation: Operation, message: OutboxMessage) -> Outcome:
        try:
            record = operation.send(self.client, message.content)
        except InvalidArgument as error:
            return dead(str(error), message.in_doubt_since)
        except RequestError as error:
            return self._failed(operation, message, error)
        self.line.tally.add(failed=False)
        if operation.unconfirmed:
            reason = "Accepted, which does not say that anything was made: waits to be found at PartnerStack."
            return self._doubtful(message, reason, self.line.clock.now())
        return _agreed(operation, message, record, "")

    def _look_up(
        self, operation: Operation, message: OutboxMessage, since: datetime, begin: datetime | None = None
    ) -> Outcome | None:
        """
        What an earlier attempt did; None if it certainly did nothing, so that it may be sent again.

        ``begin``: when that may have been at the earliest, if not from the first doubt on.
        """
        if operation.find is None:
            return held(UNCLEAR.format(message.reason or "the worker that sent it was lost."), since)
        # A look-up whose worker was lost counts as in doubt, and any attempt before it may have got through.
        begin = begin or (message.first_doubt_at or since) - self.lease
        try:
            record = operation.find(self.client, message.content, begin, since, self._next_page)
        except PartnerStackError as error:
            stopped = self._stopped(message, error)
            return stopped or self._doubtful(message, f"The look-up failed: {error}", since, spent=False)
        self.line.tally.add(failed=False)
        if record is not None:
            return _agreed(
                operation, message, record, "Found at PartnerStack; an earlier attempt got through."
            )
        if self.line.clock.now() - since < self.grace:
            return self._doubtful(message, "Not found yet, which proves nothing so soon.", since, spent=False)
        return None

    def _next_page(self) -> None:
        self.line.tally.add(failed=False)
        self.turn()

    def _failed(self, operation: Operation, message: OutboxMessage, error: RequestError) -> Outcome:
        if operation.by_token and isinstance(error, (AuthenticationFailed, Forbidden)):
            # Says nothing of the key pair, with which everything else is sent.
            self.line.tally.add(failed=False)
            return put_off(message, CONVERSIONS_REFUSED.format(error), self.line.clock.now())
        stopped = self._stopped(message, error)
        if stopped is not None:
            return stopped
        now = self.line.clock.now()
        if isinstance(error, NotSent) or (error.ambiguous and operation.repeatable):
            return again(message, str(error), now)
        if error.ambiguous and operation.find is None:
            return held(UNCLEAR.format(error), now)
        if error.ambiguous:
            return self._doubtful(message, str(error), now)
        if isinstance(error, Conflict) and operation.find is not None:
            return self._conflict(operation, message, error, now)
        if isinstance(error, NotFound):
            return self._not_found(operation, message, error, now)
        return dead(str(error), message.in_doubt_since)

    def _stopped(self, message: OutboxMessage, error: PartnerStackError) -> Outcome | None:
        """What the error means for the whole line; an outcome if the message is not to blame."""
        now = self.line.clock.now()
        retry_after = getattr(error, "retry_after", None)
        refused = isinstance(error, (AuthenticationFailed, Forbidden))
        limited = isinstance(error, RateLimited)
        self.line.tally.add(failed=refused or (getattr(error, "retryable", False) and not limited))
        if limited or retry_after is not None:
            self.line.limited(retry_after)
        if limited:
            return postponed(message, str(error), now)
        if refused:
            self.line.refused(str(error))
            return postponed(message, str(error), now)
        return None

    def _conflict(
        self, operation: Operation, message: OutboxMessage, error: Conflict, now: datetime
    ) -> Outcome:
        """PartnerStack has such an object already: ours, or somebody else's. Only a look-up tells."""
        self.turn()
        # Perhaps told long ago, if the site's database was restored since.
        found = self._look_up(operation, message, message.in_doubt_since or now, begin=message.queued_at)
        if found is not None and found.state != State.UNKNOWN:
            return found
        return self._doubtful(message, str(error), message.in_doubt_since or now)

    def _not_found(
        self, operation: Operation, message: OutboxMessage, error: NotFound, now: datetime
    ) -> Outcome:
        """Something that was made minutes ago may not be found yet."""
        if now - (message.first_sent_at or now) < self.grace:
            return again(message, str(error), now)
        if operation.removes:
            return delivered(None, "It was gone already.")
        return dead(str(error), message.in_doubt_since)

    def _doubtful(
        self, message: OutboxMessage, reason: str, since: datetime, *, spent: bool = True
    ) -> Outcome:
        now = self.line.clock.now()
        return doubtful(message, reason, now, since=since, grace=self.grace, spent=spent)


def _agreed(operation: Operation, message: OutboxMessage, record: Any, reason: str) -> Outcome:
    """Delivered if what PartnerStack has is what was asked for, as far as it says."""
    if other := operation.disagreement(message.content, record):
        return dead(f"PartnerStack has {message.subject} with {other}.")
    return delivered(record, reason)


def _given_up(operation: Operation, message: OutboxMessage) -> str:
    reason = GIVEN_UP.format(ATTEMPTS, message.subject)
    return NO_SUCH_CLICK.format(reason, message.content["xid"]) if operation.by_token else reason
