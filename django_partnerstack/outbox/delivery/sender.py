"""Sending a message, unless a look-up shows that an earlier attempt had its effect. Writes no rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ...exceptions import (
    AuthenticationFailed,
    Conflict,
    Forbidden,
    InvalidArgument,
    NotFound,
    RequestError,
)
from ...models import AttemptOutcome, OutboxMessage
from ..operations import OPERATIONS, Operation
from ..permitted import permitted
from ..queue.new_message import fingerprint
from . import outcome
from .look_up import NO_LOOK_UP, LookUp, disagreement
from .outcome import ATTEMPTS, Outcome
from .requests import Requests

CONVERSION_REFUSED = (
    "PartnerStack rejected PARTNERSTACK_TRACKING_TOKEN; correct it. Only conversions are delayed. {}"
)
NEEDS_CONFIRMATION = "PartnerStack accepted it. It counts as delivered once a look-up confirms it."

GIVEN_UP = "Given up after {} attempts: PartnerStack has no {}, and no attempt created it."
UNKNOWN_CLICK = (
    "{} PartnerStack accepts conversions of clicks that it does not know, here {!r}. Check that "
    "PARTNERSTACK_TRACKING_TOKEN and the key pair belong to one account and mode; otherwise assign a partner."
)


@dataclass(frozen=True)
class Sender:
    """
    Sends the messages of a process. Threads may share it.

    ``grace``: how long after an attempt "not found" is not trusted.
    """

    requests: Requests
    look_up: LookUp
    grace: timedelta

    def deliver(self, message: OutboxMessage, lease_expires_at: datetime) -> Outcome:
        """
        Send a claimed message, unless a look-up shows that an earlier attempt had its effect.

        Sends nothing that could take longer than the lease.
        """
        operation = OPERATIONS[message.operation]
        if fingerprint(message.payload) != message.fingerprint:
            return outcome.failed("The content was changed after it was queued.", message.in_doubt_since)
        if message.in_doubt_since is not None and not operation.idempotent:
            found = self.look_up.settle(operation, message, message.in_doubt_since, lease_expires_at)
            if found is not None:
                return found
            if message.attempts > ATTEMPTS:
                given_up = outcome.failed(_given_up(operation, message), message.in_doubt_since)
                return replace(given_up, counts_as_attempt=False)
            self.requests.acquire_slot()
        now = self.requests.now()
        if not self.requests.fits(1, lease_expires_at):
            if message.in_doubt_since is None:
                return outcome.release(message, "The lease was too short to send it.", now)
            # Counts as an attempt, so that a look-up that is too slow is not repeated for ever.
            return outcome.retry_later(message, "The look-up left too little of the lease to send it.", now)
        return self._send(operation, message, lease_expires_at)

    def _send(self, operation: Operation, message: OutboxMessage, lease_expires_at: datetime) -> Outcome:
        try:
            content = message.content if operation.is_anonymous else permitted(message.content)
            record = operation.send(self.requests.client.until(lease_expires_at, self.requests.now), content)
        except InvalidArgument as error:
            return outcome.failed(str(error), message.in_doubt_since)
        except RequestError as error:
            return self._request_failed(operation, message, error, lease_expires_at)
        self.requests.succeeded()
        if operation.needs_confirmation:
            return self._in_doubt(NEEDS_CONFIRMATION, AttemptOutcome.ACCEPTED)
        if difference := operation.compare(message.content, record).difference:
            return disagreement(message.content[operation.key_field], difference)
        return outcome.delivered(record)

    def _request_failed(
        self, operation: Operation, message: OutboxMessage, error: RequestError, lease_expires_at: datetime
    ) -> Outcome:
        if operation.uses_tracking_token and isinstance(error, (AuthenticationFailed, Forbidden)):
            # The key pair, which all other operations use, may be correct.
            self.requests.succeeded()
            return outcome.delay(message, CONVERSION_REFUSED.format(error), self.requests.now())
        if self.requests.concerns_all(error, lease_expires_at):
            return _not_the_cause(message, error, self.requests.now())
        now = self.requests.now()
        had_no_effect = error.retryable and not error.in_doubt
        if had_no_effect or (error.in_doubt and operation.idempotent):
            return outcome.retry_later(message, str(error), now)
        if error.in_doubt and operation.find is None:
            return outcome.on_hold(NO_LOOK_UP.format(error), now)
        if error.in_doubt:
            return self._in_doubt(str(error), AttemptOutcome.UNCONFIRMED)
        if isinstance(error, Conflict):
            return self.look_up.conflict(operation, message, error, lease_expires_at)
        if isinstance(error, NotFound):
            return self._not_found(operation, message, error, now)
        return outcome.failed(str(error), message.in_doubt_since)

    def _not_found(
        self, operation: Operation, message: OutboxMessage, error: NotFound, now: datetime
    ) -> Outcome:
        """Retry during the grace, because PartnerStack may not find yet what it created minutes ago."""
        if now - (message.first_sent_at or now) < self.grace:
            return outcome.retry_later(message, str(error), now)
        if operation.deletes or operation.done_if_missing:
            return outcome.delivered(None, "PartnerStack no longer had it.")
        return outcome.failed(str(error), message.in_doubt_since)

    def _in_doubt(self, reason: str, attempt: AttemptOutcome) -> Outcome:
        now = self.requests.now()
        return outcome.in_doubt(reason, now, since=now, grace=self.grace, attempt=attempt)


def _not_the_cause(message: OutboxMessage, error: RequestError, now: datetime) -> Outcome:
    """
    Release the message. After a 403 other messages go first, because their answers may show that the keys
    are right.
    """
    released = outcome.delay if isinstance(error, Forbidden) else outcome.release
    return released(message, str(error), now)


def _given_up(operation: Operation, message: OutboxMessage) -> str:
    reason = GIVEN_UP.format(ATTEMPTS, message.subject)
    if operation.uses_tracking_token:
        return UNKNOWN_CLICK.format(reason, message.content["xid"])
    return reason
