"""A site with customers and payments, a sandbox as its PartnerStack, and a clock that only the test moves."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import requests
from django.utils import timezone

from django_partnerstack.client import Client
from django_partnerstack.client.retry import RetryPolicy
from django_partnerstack.models import LaneStatus, OutboxLane, OutboxMessage, State, ThrottleState
from django_partnerstack.outbox.delivery.loop import DeliveryLoop
from django_partnerstack.outbox.queue.claim import claim
from django_partnerstack.outbox.queue.new_message import customer_lane
from django_partnerstack.sandbox import TEST_KEYS, Sandbox
from django_partnerstack.testing.adapter import SandboxAdapter
from django_partnerstack.throttle.clock import Clock
from tests.shop.models import Account, Payment

API = "https://api.partnerstack.com/api/v2"


class StillClock(Clock):
    """A clock that only the test moves. It ignores the database's time."""

    def __init__(self) -> None:
        # Later than the real clock, by which an operator's actions make messages due.
        self.at = timezone.now() + timedelta(hours=1)

    def set(self, at: datetime) -> None:
        """Ignore the database's time."""

    def now(self) -> datetime:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.advance(seconds=seconds)

    def advance(self, **span: float) -> None:
        self.at += timedelta(**span)


class Site:
    """A site that delivers in the thread of the test, so that the test can run in a transaction."""

    def __init__(self, **behaviour: Any) -> None:
        self.clock = StillClock()
        self.sandbox = Sandbox(clock=lambda: self.clock.now().timestamp())
        self.sandbox.behaviour.change(**behaviour)
        self.adapter = SandboxAdapter(self.sandbox, sleep=lambda seconds: self.clock.advance(seconds=seconds))
        self.worker = self.new_worker()

    def new_worker(self, keys: tuple[str, str] = TEST_KEYS, **options: Any) -> DeliveryLoop:
        """A worker of the site; each is like another process."""
        session = requests.Session()
        session.mount(API, self.adapter)
        client = Client(*keys, api_url=API, session=session, retry_policy=RetryPolicy(attempts=1))
        defaults = {"mode": "test", "clock": self.clock, "requests_per_minute": 6_000_000}
        return DeliveryLoop(client, **{**defaults, **options})

    def push(self, worker: DeliveryLoop | None = None, limit: int = 1000) -> Counter[str]:
        """
        Deliver what is due now. Returns the attempts by new state.

        Repeats the loop of ``DeliveryLoop.run`` without its threads, which could not see the transaction of a
        test. ``tests/outbox/delivery/test_loop.py`` and the crash tests run the real loop.
        """
        worker, counts, more = worker or self.worker, Counter[str](), True
        while more and sum(counts.values()) < limit:
            batch = claim(worker.throttle, worker.delivered, 50, lease=worker.lease)
            counts.update(worker.attempts.run(claimed) for claimed in batch.claimed)
            more = bool(batch.claimed) or OutboxMessage.objects.filter(state=State.QUEUED).exists()
        return counts

    def push_for(self, *, step: float = 0, **span: float) -> Counter[str]:
        """Deliver whatever becomes due in a time span. The clock moves by at least ``step`` seconds."""
        counts, end = self.push(), self.clock.now() + timedelta(**span)
        while (due := self.next_due()) is not None and due <= end:
            self.clock.at = max(due, self.clock.at + timedelta(seconds=step))
            counts += self.push()
        self.clock.at = max(end, self.clock.at)
        return counts

    def next_due(self) -> datetime | None:
        lanes = OutboxLane.objects.filter(due_at__isnull=False, status=LaneStatus.OPEN).order_by("due_at")
        due = lanes.values_list("due_at", flat=True).first()
        throttle = ThrottleState.objects.get()
        waits = (due, throttle.paused_until, throttle.next_slot_at if throttle.half_open else None)
        return max(filter(None, waits)) if due else None

    def fail(self, kind: str, method: str = "POST", times: int | None = 1, **details: Any) -> None:
        """Let the sandbox answer the next requests with a fault; all requests if ``times`` is None."""
        self.sandbox.faults.add(kind, method=method, path="/api/v2", times=times, **details)

    @property
    def sent(self) -> list[str]:
        """The requests so far, such as ``"POST /customers"``."""
        return [
            f"{each.method} {(each.path_url or '').removeprefix('/api/v2').split('?')[0]}"
            for each in self.adapter.requests
        ]

    def effects(self, verb: str) -> dict[str, int]:
        """How often an operation had its effect at PartnerStack, by natural key."""
        return {key: times for (_, done, key), times in self.sandbox.effects.items() if done == verb}


def account(partner_key: str = "gstest", email: str = "a@customers.example", **fields: Any) -> Account:
    return Account.objects.create(partner_key=partner_key, email=email, **fields)


def payment(account: Account, total: str = "49.00", **fields: Any) -> Payment:
    return Payment.objects.create(account=account, total=Decimal(total), **fields)


def messages(operation: str = "", **filters: Any) -> list[OutboxMessage]:
    """All messages, the oldest first."""
    wanted = filters | ({"operation": operation} if operation else {})
    return list(OutboxMessage.objects.filter(**wanted).order_by("pk"))


def message(operation: str, **filters: Any) -> OutboxMessage:
    [found] = messages(operation, **filters)
    return found


def states() -> dict[str, str]:
    """The states of all messages: ``{"transactions.create payment-1": "delivered"}``."""
    return {str(each): each.state for each in messages()}


def lane_of(account: Account) -> OutboxLane:
    return OutboxLane.objects.get(key=customer_lane(f"shop-account-{account.pk}"))
