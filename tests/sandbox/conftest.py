import pytest

from django_partnerstack.sandbox import Sandbox

from .api_client import ApiClient


class Clock:
    """Seconds since the epoch, which only a test changes."""

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
def api(sandbox):
    """A client with the test keys."""
    return ApiClient(sandbox)


@pytest.fixture
def live_api(sandbox):
    """A client with the production keys."""
    return ApiClient(sandbox, "production")


@pytest.fixture
def v1_api(sandbox):
    return ApiClient(sandbox, root="/v1")
