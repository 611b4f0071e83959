from __future__ import annotations

from collections.abc import Callable
from threading import Event
from typing import Any

import pytest

from django_partnerstack.throttle.clock import Clock
from django_partnerstack.worker.syncing import sync_due
from tests.outbox.site import StillClock
from tests.sync.conftest import Programme


@pytest.fixture(autouse=True)
def _attentive_router(settings: Any) -> None:
    """Notices a read from a replica, and a question about no model or object."""
    settings.DATABASE_ROUTERS = ["tests.routers.Attentive"]


class PassingTime(Event):
    """A stop event whose waits move a clock instead of waiting. It is set after ``seconds``."""

    def __init__(self, clock: StillClock, seconds: float) -> None:
        super().__init__()
        self.clock = clock
        self.left = seconds

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        self.clock.advance(seconds=timeout)
        self.left -= timeout
        if self.left <= 0:
            self.set()
        return self.is_set()


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def programme(clock: StillClock) -> Programme:
    return Programme(
        clock.now, partnerships=3, customers=10, transactions=7, deals=4, leads=3, actions=5, rewards=6
    )


Sync = Callable[..., int]


@pytest.fixture
def sync(programme: Programme, clock: Clock) -> Sync:
    """One look of a worker at what is due. Returns how many resources were synced."""

    def run(stop: Event | None = None) -> int:
        return sync_due(
            "test",
            client=programme.client,
            clock=clock,
            acquire_slot=lambda: None,
            stop=stop or Event(),
        )

    return run
