"""Send a message, or look up what an earlier attempt did. Classifies the response; writes no rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from ...client import Client
from ...exceptions import (
    AuthenticationFailed,
    Conflict,
    Forbidden,
    InvalidArgument,
    NotFound,
    PartnerStackError,
    RateLimited,
    RequestError,
)
from ...models import OutboxMessage, State
from ...throttle.throttle import Throttle
from ..operations import OPERATIONS, Operation
from ..queue.messages import fingerprint
from . import outcome
from .outcome import ATTEMPTS, Outcome

NO_LOOK_UP = (
    "PartnerStack may have carried it out, and it cannot be looked up. Check at PartnerStack, "
    "then release the message or mark it as delivered. {}"
)

CONVERSION_REFUSED = (
    "PartnerStack rejected PARTNERSTACK_TRACKING_TOKEN; correct it. Only conversions are delayed. {}"
)

GIVEN_UP = "Given up after {} attempts: PartnerStack has no {}, and no attempt created it."
UNKNOWN_CLICK = (
    "{} PartnerStack accepts conversions of clicks that it does not know, here {!r}. Check that "
    "PARTNERSTACK_TRACKING_TOKEN and the key pair belong to one account and mode; otherwise assign a partner."
)


@dataclass(frozen=True)
class Sender:
    """
    Sends the messages of a process. Threads may share it.

    ``grace``: how long after an attempt "not found" is not trusted. ``request_time``: how long a request can
    take. ``lease``: how long before ``in_doubt_since`` a message may have been sent. ``acquire_slot``: waits
    for the next free slot of the throttle.
    """

    client: Client
    throttle: Throttle
    grace: timedelta
    request_time: timedelta
    lease: timedelta
    acquire_slot: Callable[[], None]

    def deliver(self, message: OutboxMessage, lease_expires_at: datetime) -> Outcome:
        """
        Send a claimed message, unless a look-up shows that an earlier attempt had its effect.

        Sends nothing that could take longer than the lease.
        """
        operation = OPERATIONS[message.operation]
        if fingerprint(message.payload) != message.fingerprint:
            return outcome.failed("The content was changed after it was queued.", message.in_doubt_since)
        if message.in_doubt_since is not None and not operation.idempotent:
            found = self._look_up(operation, message, message.in_doubt_since)
            if found is not None:
                return found
            if message.attempts > ATTEMPTS:
                given_up = outcome.failed(_given_up(operation, message), message.in_doubt_since)
                return replace(given_up, counts_as_attempt=False)
            self.acquire_slot()
        now = self._now()
        if now + self.request_time > lease_expires_at:
            if message.in_doubt_since is None:
                return outcome.release(message, "The lease was too short to send it.", now)
            # Counts as an attempt, so that a look-up that is too slow is not repeated for ever.
            return outcome.retry_later(message, "The look-up left too little of the lease to send it.", now)
        return self._send(operation, message, lease_expires_at)

    def _now(self) -> datetime:
        return self.throttle.clock.now()

    def _send(self, operation: Operation, message: OutboxMessage, lease_expires_at: datetime) -> Outcome:
        try:
            record = operation.send(self.client.until(lease_expires_at, self._now), message.content)
        except InvalidArgument as error:
            return outcome.failed(str(error), message.in_doubt_since)
        except RequestError as error:
            return self._request_failed(operation, message, error)
        self.throttle.requests.add(failed=False)
        if operation.needs_confirmation:
            reason = "PartnerStack accepted it. It counts as delivered once a look-up finds the customer."
            return self._in_doubt(message, reason, self._now())
        return _compare(operation, message, record, "")

    def _look_up(
        self, operation: Operation, message: OutboxMessage, since: datetime, begin: datetime | None = None
    ) -> Outcome | None:
        """
        What an earlier attempt did. None if it had no effect, so the message may be sent again.

        ``begin``: the earliest time of its effect; by default a lease before it was first in doubt.
        """
        if operation.find is None:
            return outcome.on_hold(NO_LOOK_UP.format(message.reason or "its worker was lost."), since)
        # If a worker was lost during a look-up, any earlier attempt may have had its effect.
        begin = begin or (message.first_in_doubt_at or since) - self.lease
        try:
            record = operation.find(self.client, message.content, begin, since, self._next_page)
        except PartnerStackError as error:
            paused = self._pause_for(message, error)
            return paused or self._still_in_doubt(message, f"The look-up failed: {error}", since)
        self.throttle.requests.add(failed=False)
        if record is not None:
            return _compare(
                operation, message, record, "Found at PartnerStack; an earlier attempt got through."
            )
        if self._now() - since < self.grace:
            return self._still_in_doubt(message, "Not found yet; PartnerStack may show it later.", since)
        return None

    def _next_page(self) -> None:
        self.throttle.requests.add(failed=False)
        self.acquire_slot()

    def _request_failed(self, operation: Operation, message: OutboxMessage, error: RequestError) -> Outcome:
        if operation.uses_tracking_token and isinstance(error, (AuthenticationFailed, Forbidden)):
            # The key pair, which all other operations use, may be correct.
            self.throttle.requests.add(failed=False)
            return outcome.delay(message, CONVERSION_REFUSED.format(error), self._now())
        paused = self._pause_for(message, error)
        if paused is not None:
            return paused
        now = self._now()
        had_no_effect = error.retryable and not error.in_doubt
        if had_no_effect or (error.in_doubt and operation.idempotent):
            return outcome.retry_later(message, str(error), now)
        if error.in_doubt and operation.find is None:
            return outcome.on_hold(NO_LOOK_UP.format(error), now)
        if error.in_doubt:
            return self._in_doubt(message, str(error), now)
        if isinstance(error, Conflict) and operation.find is not None:
            return self._conflict(operation, message, error, now)
        if isinstance(error, NotFound):
            return self._not_found(operation, message, error, now)
        return outcome.failed(str(error), message.in_doubt_since)

    def _pause_for(self, message: OutboxMessage, error: PartnerStackError) -> Outcome | None:
        """Count the failure, and pause requests if necessary. Releases a message that is not the cause."""
        now = self._now()
        retry_after = getattr(error, "retry_after", None)
        refused = isinstance(error, (AuthenticationFailed, Forbidden))
        limited = isinstance(error, RateLimited)
        self.throttle.requests.add(failed=refused or (getattr(error, "retryable", False) and not limited))
        if limited or retry_after is not None:
            self.throttle.pause_for_rate_limit(retry_after)
        if refused:
            self.throttle.pause_for_refused_keys(str(error))
        return outcome.release(message, str(error), now) if limited or refused else None

    def _conflict(
        self, operation: Operation, message: OutboxMessage, error: Conflict, now: datetime
    ) -> Outcome:
        """PartnerStack already has an object with this key. Only a look-up shows whether it is the same."""
        self.acquire_slot()
        # The message may have been delivered long ago, if the site's database was restored from a backup.
        found = self._look_up(operation, message, message.in_doubt_since or now, begin=message.queued_at)
        if found is not None and found.state != State.UNCONFIRMED:
            return found
        return self._in_doubt(message, str(error), message.in_doubt_since or now)

    def _not_found(
        self, operation: Operation, message: OutboxMessage, error: NotFound, now: datetime
    ) -> Outcome:
        """Retry during the grace, because PartnerStack may not find yet what it created minutes ago."""
        if now - (message.first_sent_at or now) < self.grace:
            return outcome.retry_later(message, str(error), now)
        if operation.deletes:
            return outcome.delivered(None, "PartnerStack no longer had it.")
        return outcome.failed(str(error), message.in_doubt_since)

    def _in_doubt(
        self, message: OutboxMessage, reason: str, since: datetime, *, counts_as_attempt: bool = True
    ) -> Outcome:
        return outcome.in_doubt(
            message, reason, self._now(), since=since, grace=self.grace, counts_as_attempt=counts_as_attempt
        )

    def _still_in_doubt(self, message: OutboxMessage, reason: str, since: datetime) -> Outcome:
        """In doubt after a look-up, which does not count as an attempt."""
        return self._in_doubt(message, reason, since, counts_as_attempt=False)


def _compare(operation: Operation, message: OutboxMessage, record: Any, reason: str) -> Outcome:
    """Delivered if the record agrees with the content, as far as it shows."""
    if mismatch := operation.mismatch(message.content, record):
        return outcome.failed(f"PartnerStack has {message.subject} with {mismatch}.")
    return outcome.delivered(record, reason)


def _given_up(operation: Operation, message: OutboxMessage) -> str:
    reason = GIVEN_UP.format(ATTEMPTS, message.subject)
    if operation.uses_tracking_token:
        return UNKNOWN_CLICK.format(reason, message.content["xid"])
    return reason
