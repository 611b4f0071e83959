import pytest

from django_partnerstack.sandbox import Sandbox

from .asking import Asking


class Clock:
    """Seconds since the epoch, at a standstill until a test moves them."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def sandbox(clock):
    return Sandbox(partnerships=4, clock=clock)


@pytest.fixture
def ask(sandbox):
    """Asks with the test keys."""
    return Asking(sandbox)


@pytest.fixture
def ask_live(sandbox):
    """Asks with the production keys."""
    return Asking(sandbox, "production")


@pytest.fixture
def ask_v1(sandbox):
    return Asking(sandbox, root="/v1")
