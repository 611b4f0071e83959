"""A site that sells things, PartnerStack beside it, and a clock that only the test moves."""

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
from django_partnerstack.outbox.queue.messages import customer_lane
from django_partnerstack.sandbox import TEST_KEYS, Sandbox
from django_partnerstack.testing.adapter import SandboxAdapter
from django_partnerstack.throttle.clock import Clock
from tests.shop.models import Account, Payment

API = "https://api.partnerstack.com/api/v2"


class StillClock(Clock):
    """Stands still until the test moves it; what the database says of the time does not matter."""

    def __init__(self) -> None:
        # What a person sets in motion is due by the real clock, which never gets there.
        self.at = timezone.now() + timedelta(hours=1)

    def set(self, at: datetime) -> None:
        """Not from the database."""

    def now(self) -> datetime:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.advance(seconds=seconds)

    def advance(self, **span: float) -> None:
        self.at += timedelta(**span)


class Site:
    """Delivers in this thread, so that a test that is rolled back sees everything."""

    def __init__(self, **behaviour: Any) -> None:
        self.clock = StillClock()
        self.sandbox = Sandbox(clock=lambda: self.clock.now().timestamp())
        self.sandbox.behaviour.change(**behaviour)
        self.adapter = SandboxAdapter(self.sandbox, sleep=lambda seconds: self.clock.advance(seconds=seconds))
        self.worker = self.new_worker()

    def new_worker(self, keys: tuple[str, str] = TEST_KEYS, **options: Any) -> DeliveryLoop:
        """Another worker of the site, as in another process."""
        session = requests.Session()
        session.mount(API, self.adapter)
        client = Client(*keys, api_url=API, session=session, retry_policy=RetryPolicy(attempts=1))
        defaults = {"mode": "test", "clock": self.clock, "requests_per_minute": 6_000_000}
        return DeliveryLoop(client, **{**defaults, **options})

    def push(self, worker: DeliveryLoop | None = None, limit: int = 1000) -> Counter[str]:
        """Deliver what is due now. Returns how many attempts came to what."""
        worker, counts, more = worker or self.worker, Counter[str](), True
        while more and sum(counts.values()) < limit:
            batch = claim(worker.throttle, worker.delivered, 50, lease=worker.lease)
            counts.update(worker.attempts.run(claimed) for claimed in batch.claimed)
            more = bool(batch.claimed) or OutboxMessage.objects.filter(state=State.QUEUED).exists()
        return counts

    def push_for(self, *, step: float = 0, **span: float) -> Counter[str]:
        """Deliver for as long as that, whenever something is due and the line is open; seconds a ``step``."""
        counts, end = self.push(), self.clock.now() + timedelta(**span)
        while (due := self.next_due()) is not None and due <= end:
            self.clock.at = max(due, self.clock.at + timedelta(seconds=step))
            counts += self.push()
        self.clock.at = max(end, self.clock.at)
        return counts

    def next_due(self) -> datetime | None:
        lanes = OutboxLane.objects.filter(due_at__isnull=False, status=LaneStatus.OPEN).order_by("due_at")
        due = lanes.values_list("due_at", flat=True).first()
        line = ThrottleState.objects.get()
        waits = (due, line.paused_until, line.next_slot_at if line.half_open else None)
        return max(filter(None, waits)) if due else None

    @property
    def sent(self) -> list[str]:
        """The requests so far, such as ``"POST /customers"``."""
        return [
            f"{each.method} {(each.path_url or '').removeprefix('/api/v2').split('?')[0]}"
            for each in self.adapter.requests
        ]

    def effects(self, verb: str) -> dict[str, int]:
        """How often PartnerStack did something, by natural key."""
        return {key: times for (_, done, key), times in self.sandbox.effects.items() if done == verb}


def account(partner_key: str = "gstest", email: str = "a@customers.example", **fields: Any) -> Account:
    return Account.objects.create(partner_key=partner_key, email=email, **fields)


def payment(account: Account, total: str = "49.00", **fields: Any) -> Payment:
    return Payment.objects.create(account=account, total=Decimal(total), **fields)


def messages(operation: str = "", **filters: Any) -> list[OutboxMessage]:
    """In the order in which they were queued."""
    wanted = filters | ({"operation": operation} if operation else {})
    return list(OutboxMessage.objects.filter(**wanted).order_by("pk"))


def message(operation: str, **filters: Any) -> OutboxMessage:
    [found] = messages(operation, **filters)
    return found


def states() -> dict[str, str]:
    """What stands where: ``{"transactions.create payment-1": "delivered"}``."""
    return {str(each): each.state for each in messages()}


def lane_of(account: Account) -> OutboxLane:
    return OutboxLane.objects.get(key=customer_lane(f"account-{account.pk}"))
