"""
Reconciling a message in doubt: a look-up by natural key shows whether an attempt had its effect.

``OutboxMessage.look_up`` is the progress of a look-up that takes several turns: ``window`` and the position
in it, ``began`` (when reading of this window began), ``pages`` (how many were read so far),
``failing_since``, and ``conflict``: PartnerStack's words when it refused the message as a duplicate.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from ...exceptions import Conflict, DeliveryPaused, LookUpTimeout, PartnerStackError
from ...models import AttemptOutcome, OutboxMessage
from ..operations import Find, Operation
from ..remote_search import CLOCK_SKEW, GONE, Search
from . import outcome
from .outcome import Outcome
from .requests import Requests

#: Requests of one turn, so that other messages are sent between two turns, and the pause between turns.
TURN, PAUSE = 20, timedelta(seconds=10)
#: Requests in all. A thousand pages are 250,000 transactions in minutes: no real list is that long.
MOST_REQUESTS = 1000
#: How long look-ups may fail before an operator is asked.
PATIENCE = timedelta(days=3)

FOUND = "Found at PartnerStack; an earlier attempt got through."
CONFIRMED = "Sent to PartnerStack. Confirmed by a look-up after {}."
NO_LONGER = "PartnerStack no longer has it."
NOT_YET = "Not found yet; PartnerStack may show it later."
GOES_ON = "The look-up has read {} pages and goes on."
NO_LOOK_UP = (
    "PartnerStack may have carried it out, and it cannot be looked up. Check at PartnerStack, "
    "then release the message or mark it as delivered. {}"
)
UNSETTLED = (
    "PartnerStack may have carried it out, and this cannot be settled automatically: {} "
    "Check at PartnerStack, then mark the message as delivered, or release it to look it up again."
)
TOO_LONG = "the list for the look-up has more than {} pages."
FAILING = "the look-up has failed for {} days. {}"
NOTHING_SHOWN = "PartnerStack has {} but shows nothing that can be compared."
ABOUT_ANOTHER = (
    "{} PartnerStack has nothing under the key {!r}, so another object is the cause. "
    "Correct the data, then report them again or retry."
)


@dataclass(frozen=True)
class LookUp:
    """
    Looks messages up. Threads may share it.

    ``grace``: how long after an attempt "not found" is not trusted. ``lease``: how long before
    ``in_doubt_since`` a message may have been sent.
    """

    requests: Requests
    grace: timedelta
    lease: timedelta

    def settle(
        self, operation: Operation, message: OutboxMessage, since: datetime, lease_expires_at: datetime
    ) -> Outcome | None:
        """What an earlier attempt did. None if it had no effect, so the message may be sent again."""
        if operation.find is None:
            return outcome.on_hold(NO_LOOK_UP.format(message.reason or "its worker was lost."), since)
        # If a worker was lost during a look-up, any earlier attempt may have had its effect.
        begin = (message.first_in_doubt_at or since) - self.lease
        progress = message.look_up or {}
        if "conflict" in progress:
            begin = min(begin, message.queued_at)
        return self._turn(operation.find, operation, message, begin, since, progress, lease_expires_at)

    def conflict(
        self, operation: Operation, message: OutboxMessage, error: Conflict, lease_expires_at: datetime
    ) -> Outcome:
        """
        PartnerStack already has an object with this key, or refuses the message for another reason.

        Only a look-up shows whether it is the same. Until the grace has passed since the conflict, an object
        that cannot be found may be one that PartnerStack does not show yet.
        """
        now, progress = self.requests.now(), {"conflict": str(error)}
        if operation.find is None:
            return outcome.failed(str(error), message.in_doubt_since)
        if not self.requests.fits(1, lease_expires_at):
            return self._still_in_doubt(str(error), now, progress, AttemptOutcome.CONFLICT)
        self.requests.acquire_slot()
        # The message may have been delivered long ago, if the site's database was restored from a backup.
        begin = message.queued_at
        found = self._turn(operation.find, operation, message, begin, now, progress, lease_expires_at)
        return found or self._still_in_doubt(str(error), now, progress, AttemptOutcome.NOT_FOUND)

    def _turn(
        self,
        find: Find,
        operation: Operation,
        message: OutboxMessage,
        begin: datetime,
        since: datetime,
        progress: dict[str, Any],
        lease_expires_at: datetime,
    ) -> Outcome | None:
        """Look up as far as the bounds allow."""
        progress = self._progress(progress, begin, since)
        search = Search(
            begin=begin,
            end=since,
            before_request=self._before_request(lease_expires_at, progress),
            span=progress["span"],
            cursor=progress["cursor"],
        )
        try:
            record = find(self.requests.client, message.content, search)
        except DeliveryPaused:
            raise
        except LookUpTimeout:
            progress.update(span=search.span, cursor=search.cursor)
            return self._go_on_later(since, progress)
        except PartnerStackError as error:
            if self.requests.concerns_all(error, lease_expires_at):
                return outcome.release(message, str(error), self.requests.now())
            return self._failed(error, since, progress)
        self.requests.succeeded()
        if record is GONE:
            return outcome.delivered(None, NO_LONGER)
        if record is not None:
            return self._verdict(operation, message, record, begin, since, progress)
        return self._not_found(operation, message, since, progress)

    def _progress(self, progress: dict[str, Any], begin: datetime, since: datetime) -> dict[str, Any]:
        """The progress in this window. What was read of another window proves nothing about this one."""
        window = [begin.isoformat(), since.isoformat()]
        if progress.get("window") == window:
            return dict(progress)
        kept = {name: value for name, value in progress.items() if name in ("conflict", "failing_since")}
        began = self.requests.now().isoformat()
        return {**kept, "window": window, "began": began, "span": 0, "cursor": None, "pages": 0}

    def _before_request(self, lease_expires_at: datetime, progress: dict[str, Any]) -> Any:
        left = TURN

        def before_request() -> None:
            nonlocal left
            self.requests.succeeded()
            progress["pages"] += 1
            left -= 1
            # Time for this request, and for sending the message afterwards.
            if not left or progress["pages"] >= MOST_REQUESTS or not self.requests.fits(2, lease_expires_at):
                raise LookUpTimeout("The look-up goes on later.")
            self.requests.acquire_slot()

        return before_request

    def _go_on_later(self, since: datetime, progress: dict[str, Any]) -> Outcome:
        if progress["pages"] >= MOST_REQUESTS:
            return outcome.on_hold(UNSETTLED.format(TOO_LONG.format(progress["pages"])), since)
        reason = GOES_ON.format(progress["pages"])
        waiting = self._still_in_doubt(reason, since, progress, AttemptOutcome.CONTINUES)
        return replace(waiting, next_try_at=self.requests.now() + PAUSE)

    def _failed(self, error: PartnerStackError, since: datetime, progress: dict[str, Any]) -> Outcome:
        """Look up again from the beginning, because an object in the list may have been deleted."""
        now = self.requests.now()
        failing_since = datetime.fromisoformat(progress.get("failing_since", now.isoformat()))
        if now - failing_since >= PATIENCE:
            return outcome.on_hold(UNSETTLED.format(FAILING.format(PATIENCE.days, error)), since)
        kept = {"conflict": progress["conflict"]} if "conflict" in progress else {}
        again = {**kept, "failing_since": failing_since.isoformat()}
        return self._still_in_doubt(f"The look-up failed: {error}", since, again, AttemptOutcome.RETRY)

    def _verdict(
        self,
        operation: Operation,
        message: OutboxMessage,
        record: Any,
        begin: datetime,
        since: datetime,
        progress: dict[str, Any],
    ) -> Outcome:
        """Delivered if the record agrees with the content, as far as PartnerStack shows it."""
        comparison = operation.compare(message.content, record)
        key = message.content[operation.key_field]
        if comparison.difference:
            return disagreement(key, comparison.difference, progress.get("conflict", ""))
        if not comparison.proves(record.created_at, begin - CLOCK_SKEW):
            return outcome.on_hold(UNSETTLED.format(NOTHING_SHOWN.format(key)), since)
        if not operation.needs_confirmation:
            return outcome.delivered(record, FOUND, AttemptOutcome.FOUND)
        reason = CONFIRMED.format(span(self.requests.now() - since))
        # The normal course: one attempt and its confirmation.
        found = outcome.delivered(record, reason, AttemptOutcome.FOUND)
        return replace(found, counts_as_attempt=False)

    def _not_found(
        self, operation: Operation, message: OutboxMessage, since: datetime, progress: dict[str, Any]
    ) -> Outcome | None:
        conflict = progress.get("conflict", "")
        # Pages that were read before the grace ended could not show it yet.
        if datetime.fromisoformat(progress["began"]) - since < self.grace:
            kept = {"conflict": conflict} if conflict else {}
            return self._still_in_doubt(conflict or NOT_YET, since, kept, AttemptOutcome.NOT_FOUND)
        if conflict:
            return outcome.failed(
                ABOUT_ANOTHER.format(sentence(conflict), message.content[operation.key_field])
            )
        return None

    def _still_in_doubt(
        self, reason: str, since: datetime, progress: dict[str, Any], attempt: AttemptOutcome
    ) -> Outcome:
        """In doubt after a look-up, which does not count as an attempt."""
        return outcome.in_doubt(
            reason,
            self.requests.now(),
            since=since,
            grace=self.grace,
            attempt=attempt,
            look_up=progress,
            counts_as_attempt=False,
        )


def span(span: timedelta) -> str:
    """As people say it: "2 s", "5 min", "3 h"."""
    seconds = max(round(span.total_seconds()), 1)
    if seconds < 120:
        return f"{seconds} s"
    return f"{seconds // 60} min" if seconds < 7200 else f"{seconds // 3600} h"


def disagreement(key: str, difference: str, words: str = "") -> Outcome:
    """PartnerStack has another object with this key. ``words``: how PartnerStack refused the message."""
    reason = f"{sentence(words)} PartnerStack has {key} with {difference}.".strip()
    return outcome.failed(reason, attempt=AttemptOutcome.DIFFERS)


def sentence(words: str) -> str:
    """PartnerStack's words with a full stop, so that a sentence can follow."""
    return f"{words}." if words and words[-1] not in ".!?…" else words
