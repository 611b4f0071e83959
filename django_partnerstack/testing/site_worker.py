"""What ``partnerstack_worker`` does, in the thread and the transaction of a test."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from datetime import datetime, timedelta

from django.db import connections, router

from django_partnerstack.client import Client
from django_partnerstack.client.retry import RetryPolicy
from django_partnerstack.connection import get_client
from django_partnerstack.models import LaneStatus, OutboxLane, OutboxMessage, State, ThrottleState
from django_partnerstack.outbox.delivery.outcome import FIRST_DELAY
from django_partnerstack.outbox.operations import OPERATIONS
from django_partnerstack.outbox.push import worker
from django_partnerstack.sync import pull
from django_partnerstack.webhooks.process import next_due, process_events

from .clock import MovedClock, NeverStopped

#: No delivery takes longer: only a database that keeps failing would.
LONGEST = timedelta(minutes=10)
#: What is not to be sent, or was.
ENDED = (State.DELIVERED, State.CANCELLED, State.SKIPPED, State.ORGANIC)

IN_A_TRANSACTION = (
    "Nothing can be sent within transaction.atomic(), which could be rolled back. Call deliver() after the "
    "block. The transaction of the test itself is allowed."
)
BROKEN = "An error of the database has ended the transaction of this test, so nothing can be delivered in it."


class SiteWorker:
    """A worker of the site with one thread, that of the test."""

    def __init__(self, mode: str, clock: MovedClock) -> None:
        self.mode = mode
        self.clock = clock
        self.stopping = NeverStopped(clock)
        self.using = router.db_for_write(OutboxMessage)

    def deliver(self, span: timedelta) -> Counter[str]:
        """Deliver what is due, and what becomes due within the span."""
        self._check_transaction()
        end = self.clock.now() + span
        counts = self._run()
        if counts["accepted"]:
            # The normal course of a conversion, and no retry.
            self.clock.move_to(self.clock.now() + FIRST_DELAY)
            counts += self._run(lanes=self._to_be_confirmed())
        while span and (due := self._next_due()) is not None and due <= end:
            self.clock.move_to(max(due, self.clock.now() + timedelta(milliseconds=1)))
            counts += self._run()
        if span:
            self.clock.move_to(end)
        return counts

    def process_webhooks(self) -> int:
        """Process the webhook events that are due. Returns how many ended."""
        self._check_transaction()
        return process_events(
            self.mode,
            client=self._client(),
            clock=self.clock,
            acquire_slot=lambda: None,
            stop=self.stopping,
        )

    def sync(self, *resources: str) -> None:
        self._check_transaction()
        for name in resources:
            pull(name, client=get_client(), mode=self.mode, now=self.clock.now)

    def undelivered(self) -> list[str]:
        """The messages that have not reached PartnerStack and should, by operation and key."""
        messages = OutboxMessage.objects.using(self.using).filter(mode=self.mode).exclude(state__in=ENDED)
        return [f"{message.operation} {message.subject}" for message in messages.order_by("pk")]

    def _run(self, lanes: Collection[str] | None = None) -> Counter[str]:
        loop = worker(threads=1, client=self._client(), clock=self.clock, stopping=self.stopping)
        counts = loop.run(lanes=lanes, seconds=LONGEST.total_seconds())
        self.process_webhooks()
        return Counter({_named(state): number for state, number in counts.items()})

    def _client(self) -> Client:
        """A client that repeats no read, because the worker repeats its work."""
        return get_client(retry_policy=RetryPolicy(attempts=1))

    def _to_be_confirmed(self) -> list[str]:
        names = [name for name, operation in OPERATIONS.items() if operation.needs_confirmation]
        messages = OutboxMessage.objects.using(self.using).filter(mode=self.mode, operation__in=names)
        return list(messages.filter(state=State.UNCONFIRMED).values_list("lane", flat=True))

    def _next_due(self) -> datetime | None:
        """When a message or a webhook event is due that no worker can send or process now."""
        lanes = OutboxLane.objects.using(self.using).filter(mode=self.mode, status=LaneStatus.OPEN)
        due = lanes.filter(due_at__isnull=False).order_by("due_at").values_list("due_at", flat=True).first()
        row = ThrottleState.objects.using(self.using).filter(mode=self.mode).first()
        if due is not None and row is not None:
            due = max(filter(None, (due, row.paused_until, row.next_slot_at if row.half_open else None)))
        return min(filter(None, (due, next_due(self.mode, self.clock.now()))), default=None)

    def _check_transaction(self) -> None:
        connection = connections[self.using]
        if connection.needs_rollback:
            raise RuntimeError(BROKEN)
        # As Django decides it for atomic(durable=True).
        if any(not getattr(block, "_from_testcase", False) for block in connection.atomic_blocks):
            raise RuntimeError(IN_A_TRANSACTION)


def _named(state: str) -> str:
    """A state as ``State`` names it, such as "failed", and not as it is stored."""
    return State(state).name.lower() if state in State.values else state
