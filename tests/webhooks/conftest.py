from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from threading import Event
from typing import Any

import pytest
import requests
from django.http import HttpResponse
from django.test import Client as Browser

from django_partnerstack.client import Client
from django_partnerstack.client.retry import RetryPolicy
from django_partnerstack.models import WebhookEvent
from django_partnerstack.sandbox import TEST_KEYS, Sandbox
from django_partnerstack.signals import webhook_processed
from django_partnerstack.testing.adapter import SandboxAdapter
from django_partnerstack.webhooks import retention
from django_partnerstack.webhooks.process import next_due, process_events

API_URL = "https://api.partnerstack.com/api/v2"
SECRET = "canary-0123456789-0123456789-0123456789"
URL = f"/partnerstack/webhooks/{SECRET}/"
SAMPLES = {path.stem: json.loads(path.read_text()) for path in Path(__file__).parent.glob("samples/*.json")}


class Clock:
    """The time of the site and of PartnerStack. Only a test moves it."""

    def __init__(self) -> None:
        self.at = datetime(2026, 6, 1, 12, tzinfo=timezone.utc)

    def now(self) -> datetime:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.move(seconds=seconds)

    def move(self, **time: float) -> None:
        self.at += timedelta(**time)


class Site:
    """A site with a URL for webhooks, its worker, and a sandbox without a socket."""

    def __init__(self, clock: Clock, sandbox: Sandbox) -> None:
        self.clock = clock
        self.sandbox = sandbox
        self.adapter = SandboxAdapter(sandbox)
        session = requests.Session()
        session.mount(API_URL, self.adapter)
        self.client = Client(*TEST_KEYS, session=session, retry_policy=RetryPolicy(attempts=1))
        self.stop = Event()
        self.slots = 0

    def acquire_slot(self) -> None:
        self.slots += 1

    def deliver(self, body: Any, url: str = URL, **headers: str) -> HttpResponse:
        return post(body, url, **headers)

    def event(self, event: str, key: str, **fields: Any) -> WebhookEvent:
        """An event in an envelope, as it was stored."""
        assert self.deliver({"event": event, "data": {"key": key, **fields}}).status_code == 200
        return WebhookEvent.objects.latest("pk")

    def process(self, limit: int = 100) -> int:
        return process_events(
            "test",
            client=self.client,
            clock=self.clock,  # type: ignore[arg-type]
            acquire_slot=self.acquire_slot,
            stop=self.stop,
            limit=limit,
        )

    def process_all(self) -> None:
        """Until nothing is due, at most for an hour."""
        end = self.clock.now() + timedelta(hours=1)
        while (due := next_due("test", self.clock.now())) is not None and due <= end:
            self.clock.at = max(self.clock.at, due)
            self.process()

    @property
    def reads(self) -> list[str]:
        """The paths of all requests to PartnerStack, in order."""
        return [
            request.path_url.partition("?")[0].removeprefix("/api/v2") for request in self.adapter.requests
        ]


def post(body: Any, url: str = URL, **headers: str) -> HttpResponse:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    browser = Browser(enforce_csrf_checks=True)
    return browser.post(url, content, content_type="application/json", headers=headers)


@pytest.fixture(autouse=True)
def secrets(settings: Any) -> None:
    settings.PARTNERSTACK_WEBHOOK_SECRETS = [SECRET]


@pytest.fixture(autouse=True)
def nothing_pruned() -> Iterator[None]:
    retention._pruned_at.clear()
    yield
    retention._pruned_at.clear()


@pytest.fixture
def clock(monkeypatch: Any) -> Clock:
    clock = Clock()
    monkeypatch.setattr("django.utils.timezone.now", clock.now)
    return clock


@pytest.fixture
def sandbox(clock: Clock) -> Sandbox:
    return Sandbox(
        clock=lambda: clock.now().timestamp(),
        partnerships=3,
        customers=5,
        transactions=4,
        deals=2,
        leads=2,
        actions=2,
        rewards=2,
    )


@pytest.fixture
def site(db: None, clock: Clock, sandbox: Sandbox) -> Site:
    return Site(clock, sandbox)


@pytest.fixture
def processed() -> Iterator[list[dict[str, Any]]]:
    """The arguments of each ``webhook_processed`` signal."""
    calls: list[dict[str, Any]] = []

    def receive(signal: object, sender: object, **arguments: Any) -> None:
        calls.append(arguments)

    webhook_processed.connect(receive)
    yield calls
    webhook_processed.disconnect(receive)


@pytest.fixture
def failing() -> Iterator[Callable[[int], None]]:
    """Connects a receiver that raises an error so many times."""
    left = [0]

    def receive(signal: object, **arguments: Any) -> None:
        if left[0]:
            left[0] -= 1
            raise RuntimeError("not today")

    webhook_processed.connect(receive)
    yield lambda times: left.__setitem__(0, times)
    webhook_processed.disconnect(receive)
