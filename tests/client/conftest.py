from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import responses

from django_partnerstack.client import Client
from django_partnerstack.client.retry import RetryPolicy

PUBLIC = "pk_PublicCanary1234"
SECRET = "sk_SecretCanary5678"
TOKEN = "token_Canary9012"
API = "https://api.partnerstack.com/api/v2"


@pytest.fixture(autouse=True)
def _any_address(settings: Any) -> None:
    """What ``responses`` answers has the address of PartnerStack."""
    settings.PARTNERSTACK_TEST_NETWORK = "allowed"


@dataclass
class Time:
    """A clock that moves only during a sleep."""

    now: float = 1000.0
    sleeps: list[float] = field(default_factory=list)

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.now += seconds

    @property
    def retry_policy(self) -> RetryPolicy:
        return RetryPolicy(
            clock=self.clock, sleep=self.sleep, random=lambda: 1.0, wall_clock=lambda: 1_700_000_000.0
        )


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def client(time: Time) -> Iterator[Client]:
    with Client(PUBLIC, SECRET, tracking_token=TOKEN, retry_policy=time.retry_policy) as client:
        yield client


@pytest.fixture
def api() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


def envelope(data: Any) -> dict[str, Any]:
    return {"data": data, "message": "done", "status": 200}


def listing(*items: Any, has_more: bool = False) -> dict[str, Any]:
    return envelope({"items": list(items), "has_more": has_more})
