"""One attempt at a claimed message: wait for its slot, send, write the outcome back, signal."""

from __future__ import annotations

import logging
import traceback
from datetime import datetime, timedelta
from typing import Any

from django.db import connections

from ... import telemetry
from ...client import recorded_by
from ...exceptions import DeliveryPaused
from ...models import AttemptOutcome, OutboxMessage, State
from ...signals import push_failed
from ...throttle.throttle import Wait
from ..operations import OPERATIONS
from ..queue.claim import Claimed, DeliveredLanes
from ..queue.sequencing.isolation import is_about_database
from . import outcome as outcomes
from .outcome import Outcome, without_answer
from .recording import Recording
from .sender import Sender
from .write_back import ModeEvidence, write_back

logger = logging.getLogger(__name__)

NEEDS_ATTENTION = "Message %s is %s and needs attention. The admin shows the reason."

#: Seconds between polls of an empty outbox (one query each), and before a failing database is tried again.
POLL = 1.0

#: After this many retries the answer is dropped: the database may refuse it with an error of its own failing.
PERSISTENT = 3

#: How long a stopping worker waits for a failing database.
PATIENCE = timedelta(seconds=3)


class AttemptRunner:
    """
    Runs the attempts of one worker. Its threads share it.

    ``claimed_slots``: how many claimed messages, each with its slot, the worker has at most.
    """

    def __init__(self, sender: Sender, delivered: DeliveredLanes, *, wait: Wait, claimed_slots: int) -> None:
        self.sender = sender
        self.throttle = sender.requests.throttle
        self.delivered = delivered
        self.claimed_slots = claimed_slots
        self._wait = wait
        self._mode_evidence = ModeEvidence(self.throttle.mode)
        #: When a stopping worker gives up on a failing database.
        self._patient_until: datetime | None = None

    def run(self, claimed: Claimed) -> str:
        """
        Send a claimed message, write the outcome back and signal it.

        Returns its new state; "accepted" if it is to be confirmed by a look-up, as planned; "lost" if another
        worker has it.
        """
        recording = Recording(self.throttle.clock)
        with recorded_by(recording.add):
            intended = self._attempt(claimed)
        self.throttle.requests.end_attempt()
        outcome = self._write_back(claimed, intended, recording)
        if outcome is None:
            return "lost"
        if outcome.state == State.DELIVERED:
            self.delivered.add(claimed)
        send_signal(claimed.message, outcome)
        self._mode_evidence.record(claimed.message.operation, intended.record, self.throttle.clock.now())
        return "accepted" if outcome.attempt == AttemptOutcome.ACCEPTED else str(outcome.state)

    def _attempt(self, claimed: Claimed) -> Outcome:
        """Any error is the outcome of this message alone: it must not stop the others."""
        message = claimed.message
        try:
            self.throttle.wait_for_slot(claimed.send_at, self._wait, claimed_slots=self.claimed_slots)
            with telemetry.attempt(message) as ended:
                return ended(self.sender.deliver(message, claimed.lease_expires_at))
        except DeliveryPaused as error:
            return outcomes.release(message, str(error), self.throttle.clock.now())
        except Exception:
            logger.exception("Message %s could not be sent.", message.pk, extra=telemetry.fields(message))
            return outcomes.failed(traceback.format_exc(), self.throttle.clock.now())

    def _write_back(self, claimed: Claimed, outcome: Outcome, recording: Recording) -> Outcome | None:
        """
        Save the outcome with the record of the attempt, and return what was saved.

        None if another worker has the message.

        An answer that the database refuses is dropped, and the outcome saved without it. If the database
        fails, retry until the lease expires, after which the next worker looks the message up. No error may
        end the thread, which other messages need.
        """
        retries = 0
        while True:
            try:
                rows = recording.rows(claimed.message, outcome)
                return outcome if write_back(self.throttle, claimed, outcome, rows) else None
            except Exception as error:
                problem = error
            if not is_about_database(problem) or retries >= PERSISTENT:
                reduced = without_answer(outcome, f"{type(problem).__name__}: {problem}")
                try:
                    rows = recording.rows(claimed.message, reduced, with_texts=False)
                    return reduced if write_back(self.throttle, claimed, reduced, rows) else None
                except Exception as error:
                    problem = error
            if is_about_database(problem):
                connections.close_all()
            # The first retry at once: the connection may have been cut long ago while the database is well.
            if retries and not self._wait_for_database(claimed, problem):
                return None
            retries += 1

    def _wait_for_database(self, claimed: Claimed, error: Exception) -> bool:
        """Wait before the next retry. Returns False if there is none."""
        about = telemetry.fields(claimed.message)
        if self._is_too_late(claimed):
            logger.error("The outcome of message %s is lost: %s", claimed.message.pk, error, extra=about)
            return False
        text = "The outcome of message %s waits for the database: %s"
        logger.warning(text, claimed.message.pk, error, extra=about)
        self.throttle.clock.sleep(POLL)
        return True

    def _is_too_late(self, claimed: Claimed) -> bool:
        """Whether the lease has expired, or the worker is stopping and has waited for the database."""
        now = self.throttle.clock.now()
        if not self._wait(0):
            return now >= claimed.lease_expires_at
        self._patient_until = self._patient_until or now + PATIENCE
        return now >= min(claimed.lease_expires_at, self._patient_until)


def send_signal(message: OutboxMessage, outcome: Outcome) -> None:
    """
    Signal the committed outcome, and log it if the message needs attention.

    An error in a receiver is logged and has no other effect.
    """
    about: dict[str, Any] = {
        "mode": message.mode,
        "operation": message.operation,
        "key": message.subject,
        "message": message.pk,
    }
    operation = OPERATIONS.get(message.operation)
    if outcome.state == State.DELIVERED and operation is not None and operation.signal is not None:
        operation.signal.send_robust(sender=OutboxMessage, record=outcome.record, **about)
    if outcome.state in (State.FAILED, State.ON_HOLD):
        # Without the reason, in which PartnerStack may name the customer.
        logger.error(NEEDS_ATTENTION, message.pk, outcome.state.label, extra=telemetry.fields(message))
        push_failed.send_robust(
            sender=OutboxMessage, state=str(outcome.state), reason=outcome.reason, **about
        )
