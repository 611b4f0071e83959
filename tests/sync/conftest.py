import socket
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
import requests

from django_partnerstack.client import Client
from django_partnerstack.client.retry import RetryPolicy
from django_partnerstack.models import Customer
from django_partnerstack.sandbox import TEST_KEYS, Sandbox
from django_partnerstack.sync import Pulled, pull
from django_partnerstack.testing.adapter import SandboxAdapter

API_URL = "https://api.partnerstack.com/api/v2"


class Clock:
    """The time of the site and of PartnerStack. Only a test moves it."""

    def __init__(self) -> None:
        self.now = datetime(2026, 6, 1, 12, tzinfo=timezone.utc)

    def __call__(self) -> datetime:
        return self.now

    def move(self, **time: float) -> None:
        self.now += timedelta(**time)


class Programme:
    """A sandbox, and a client that is connected to it without a socket."""

    def __init__(self, clock: Clock, **counts: int) -> None:
        self.sandbox = Sandbox(clock=lambda: clock().timestamp(), **counts)
        self.adapter = SandboxAdapter(self.sandbox)
        session = requests.Session()
        session.mount(API_URL, self.adapter)
        self.client = Client(
            *TEST_KEYS, session=session, retry_policy=RetryPolicy(sleep=lambda seconds: None)
        )

    @property
    def queries(self) -> list[str]:
        """The query strings of all requests, in order."""
        return [request.path_url.partition("?")[2] for request in self.adapter.requests]

    def customer_keys(self) -> set[str]:
        """The keys of all customers."""
        return {item["key"] for item in self.sandbox.objects("customers")}

    def last_key_of_page(self, number: int) -> str:
        key: str = self.sandbox.objects("customers")[number * 250 - 1]["key"]
        return key


def mirrored_keys() -> set[str | None]:
    """The keys of all customers that are not missing."""
    return set(Customer.objects.filter(missing_since=None).values_list("key", flat=True))


class Stopped(Exception):
    """Raised by a test to stop a pull."""


def stop_after_the_first_page(sync: Callable[..., Pulled], programme: Programme, **options: Any) -> None:
    def stop(pulled: Pulled) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        sync(programme, on_page=stop, **options)


@pytest.fixture(autouse=True)
def _any_address(settings: Any) -> None:
    """What ``responses`` answers has the address of PartnerStack."""
    settings.PARTNERSTACK_TEST_NETWORK = "allowed"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def programme(clock: Clock) -> Programme:
    return Programme(
        clock,
        partnerships=3,
        customers=10,
        transactions=7,
        deals=4,
        leads=3,
        actions=5,
        rewards=6,
    )


@pytest.fixture
def many(clock: Clock) -> Programme:
    """Three pages of customers."""
    return Programme(clock, partnerships=2, customers=600)


@pytest.fixture
def sync(clock: Clock) -> Callable[..., Pulled]:
    """Pulls one resource of a programme into the mirror of test mode."""

    def run(programme: Programme, name: str = "customers", **options: Any) -> Pulled:
        return pull(name, client=programme.client, mode="test", now=clock, **options)

    return run


@pytest.fixture
def received() -> Iterator[list[dict[str, Any]]]:
    """The arguments of each ``objects_synced`` signal."""
    from django_partnerstack.signals import objects_synced

    calls: list[dict[str, Any]] = []

    def receive(signal: object, **arguments: Any) -> None:
        calls.append(arguments)

    objects_synced.connect(receive)
    yield calls
    objects_synced.disconnect(receive)


@pytest.fixture
def free_port() -> int:
    """A port on which nothing listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]
