"""One attempt at a claimed message, from its slot until its outcome is written down."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import Error, connections

from .announce import announce
from .claim import Claimed
from .deliver import Courier
from .finish import finish
from .kinds import Kinds
from .line import LineClosed
from .outcome import Outcome, dead, postponed

logger = logging.getLogger(__name__)

#: Seconds between looks at an empty outbox, one query each, and before a database that failed is asked again.
POLL = 1.0

#: How long a worker that is to end waits for a database that fails.
PATIENCE = timedelta(seconds=3)


class Attempts:
    """
    The attempts of one worker. Its threads share it.

    ``wait`` sleeps for some seconds, and returns something true if nothing more is to begin. ``held``: how
    many claimed messages the worker has at most.
    """

    def __init__(self, courier: Courier, *, wait: Callable[[float], object], held: int) -> None:
        self.courier = courier
        self.line = courier.line
        self.held = held
        self._wait = wait
        self._kinds = Kinds(self.line.mode)
        #: When a worker that is to end gives up a database that fails.
        self._patient_until: datetime | None = None

    def make(self, claimed: Claimed) -> str:
        """Send a claimed message, write down what came of it and tell the host. Returns its new state."""
        outcome = self._outcome(claimed)
        self.line.tally.end()
        written = self._write(claimed, outcome)
        if written:
            announce(claimed.message, outcome)
            self._kinds.note(claimed.message.operation, outcome.record, self.line.clock.now())
        return str(outcome.state) if written else "lost"

    def _outcome(self, claimed: Claimed) -> Outcome:
        """Any error whatever is the message's outcome: one message must not stop the others."""
        message = claimed.message
        try:
            self.line.wait_for(claimed.send_at, self._wait, held=self.held)
            return self.courier.deliver(message, claimed.lease_until)
        except LineClosed as error:
            return postponed(message, str(error), self.line.clock.now())
        except Exception:
            logger.exception("Message %s could not be sent.", message.pk)
            return dead(traceback.format_exc(), self.line.clock.now())

    def _write(self, claimed: Claimed, outcome: Outcome) -> bool:
        """
        Until it is written down or it is too late; then the next worker looks the message up.

        So it is after any other error: it must not end the thread, for which the others would wait.
        """
        is_new_connection = False
        while True:
            try:
                return finish(self.line, claimed, outcome)
            except Error as error:
                connections.close_all()
                if is_new_connection and not self._wait_for_database(claimed, error):
                    return False
                # The first may have been cut long ago, and the database be well.
                is_new_connection = True
            except Exception:
                logger.exception("The outcome of message %s could not be written down.", claimed.message.pk)
                return False

    def _wait_for_database(self, claimed: Claimed, error: Error) -> bool:
        """Wait before the next try; False if there is to be none."""
        if self._is_too_late(claimed):
            logger.error("The outcome of message %s is lost: %s", claimed.message.pk, error)
            return False
        logger.warning("The outcome of message %s waits for the database: %s", claimed.message.pk, error)
        self.line.clock.sleep(POLL)
        return True

    def _is_too_late(self, claimed: Claimed) -> bool:
        """Whether the lease is over, or the worker is to end and has waited for the database for a while."""
        now = self.line.clock.now()
        if not self._wait(0):
            return now >= claimed.lease_until
        self._patient_until = self._patient_until or now + PATIENCE
        return now >= min(claimed.lease_until, self._patient_until)
