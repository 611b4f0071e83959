"""
Processing: what the worker does with the events that were received.

The content of an event is never believed. Its object is read again through the API, or its resource is
synced, and only what PartnerStack answers is stored.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from threading import Event

from .. import telemetry
from ..client import Client
from ..exceptions import (
    AuthenticationFailed,
    DeliveryPaused,
    NotSent,
    PartnerStackError,
    RetryableReply,
    SyncLocked,
)
from ..models import Mirror, WebhookEvent, WebhookState
from ..resources import RESOURCES
from ..signals import name_of, webhook_processed
from ..throttle.clock import Clock
from . import queue
from .forgotten_bodies import delete_bodies
from .normalise import RESOURCE_OF
from .queue import RESERVE, next_due
from .reading import NotYet, Subject, Subjects, find_row, read, sync_resource
from .retention import prune_hourly

__all__ = ["next_due", "process_events"]

logger = logging.getLogger(__name__)

#: How long all events wait after PartnerStack could not be reached, and after it rejected the keys.
UNREACHABLE_PAUSE, REFUSED_KEYS_PAUSE = timedelta(seconds=15), timedelta(minutes=5)

#: How long an event waits for a sync of its resource in another process, and between two syncs.
LOCKED_PAUSE = timedelta(seconds=10)

UNKNOWN = "The app knows no such event, so nothing was read."


def process_events(
    mode: str,
    *,
    client: Client,
    clock: Clock,
    acquire_slot: Callable[[], None],
    stop: Event,
    limit: int = 100,
) -> int:
    """
    Process the due events of a mode, at most ``limit``. Returns how many ended: done, ignored or failed.

    Each request waits for ``acquire_slot``. Ends early once ``stop`` is set, if no request may be sent now,
    or if PartnerStack cannot be reached; the events are then due later. Any number of processes may run it:
    each claims events by a lease, and the events of a process that was killed are due when it expires.

    Raises the errors of the database. An error of one event is stored with it and stops no other.
    """
    prune_hourly(mode, clock.now())
    claimed = queue.claim(mode, limit, clock.now())
    if not claimed:
        return 0
    delete_bodies(claimed, mode)
    batch = _Batch(mode, client, clock, acquire_slot, stop, clock.now() + queue.LEASE - RESERVE)
    remaining = list(Subjects(claimed, mode))
    while remaining:
        if stop.is_set() or clock.now() >= batch.until:
            batch.release(remaining, clock.now())
            break
        subject = remaining.pop(0)
        if batch.process(subject):
            continue
        # Nobody can read anything now.
        batch.release(remaining, batch.paused_until or clock.now())
        break
    return batch.ended


class _Batch:
    """The processing of the events that were claimed together."""

    def __init__(
        self,
        mode: str,
        client: Client,
        clock: Clock,
        acquire_slot: Callable[[], None],
        stop: Event,
        until: datetime,
    ) -> None:
        self.mode = mode
        self.client = client
        self.clock = clock
        self.acquire_slot = acquire_slot
        self.stop = stop
        self.until = until
        self.ended = 0
        #: When the next read may succeed, after one that stopped the batch.
        self.paused_until: datetime | None = None

    def process(self, subject: Subject) -> bool:
        """Process the events of one object or resource. Returns False if no other can be processed now."""
        try:
            row = self._read(subject)
        except DeliveryPaused as error:
            return self._pause(subject, queue.DELAYS[0], str(error))
        except AuthenticationFailed as error:
            return self._pause(subject, REFUSED_KEYS_PAUSE, str(error))
        except NotSent as error:
            return self._pause(subject, UNREACHABLE_PAUSE, str(error))
        except RetryableReply as error:
            self._retry(subject, str(error))
            seconds = error.retry_after
            self.paused_until = self.clock.now() + (
                UNREACHABLE_PAUSE if seconds is None else timedelta(seconds=min(seconds, 600))
            )
            return False
        except SyncLocked as error:
            queue.postpone(subject.events, self.clock.now() + LOCKED_PAUSE, str(error))
        except NotYet as error:
            if error.until is not None:
                queue.postpone(subject.events, error.until, str(error))
            else:
                self._retry(subject, str(error))
        except PartnerStackError as error:
            if getattr(error, "retryable", False):
                self._retry(subject, str(error))
            else:
                self._end(subject.events, WebhookState.FAILED, str(error))
        else:
            for event in subject.events:
                self._announce(event, row, subject)
        return True

    def _read(self, subject: Subject) -> Mirror | None:
        """The row of the object as it is now; None for an unknown event and for an unknown object."""
        if not subject.kind:
            return None
        resource = RESOURCES[RESOURCE_OF[subject.kind]]
        if subject.is_readable:
            return read(subject, resource, self.client, self.mode, self.clock, self.acquire_slot)
        sync_resource(subject, resource, self.client, self.mode, self.clock, self.acquire_slot)
        return None

    def _announce(self, event: WebhookEvent, row: Mirror | None, subject: Subject) -> None:
        """Send the signal, and end the event if all receivers have returned."""
        if event.kind and not subject.is_readable:
            row = find_row(event, self.mode)
        answers = webhook_processed.send_robust(
            sender=WebhookEvent, event=event.event, mode=self.mode, kind=event.kind, key=event.key, row=row
        )
        errors = [(receiver, error) for receiver, error in answers if isinstance(error, Exception)]
        if errors:
            reason = "; ".join(
                f"The receiver {name_of(receiver)} raised {error!r}." for receiver, error in errors
            )
            queue.retry(event, reason, self.clock.now())
        elif not event.kind:
            self._end([event], WebhookState.IGNORED, "" if event.event == "test" else UNKNOWN)
        else:
            self._end([event], WebhookState.DONE, subject.note)

    def _end(self, events: Iterable[WebhookEvent], state: WebhookState, reason: str) -> None:
        for event in events:
            queue.finish(event, state, reason, self.clock.now())
            telemetry.count_webhook(state.name.lower(), event.kind, self.mode)
            self.ended += 1

    def _retry(self, subject: Subject, reason: str) -> None:
        for event in subject.events:
            queue.retry(event, reason, self.clock.now())

    def _pause(self, subject: Subject, pause: timedelta, reason: str) -> bool:
        self.paused_until = self.clock.now() + pause
        queue.postpone(subject.events, self.paused_until, reason)
        return False

    def release(self, subjects: Iterable[Subject], until: datetime) -> None:
        """Let events that were claimed in vain be claimed again."""
        queue.postpone((event for subject in subjects for event in subject.events), until)
