import socket
from collections.abc import Callable, Iterator
from io import StringIO
from threading import Event
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings

from django_partnerstack.sandbox import TEST_KEYS, Reply, Sandbox


class Asked(Sandbox):
    """Sets an event at the first request."""

    def __init__(self, **counts: int) -> None:
        super().__init__(**counts)
        self.was_asked = Event()

    def handle(self, *args: Any) -> Reply:
        reply = super().handle(*args)
        self.was_asked.set()
        return reply


@pytest.fixture
def sandbox() -> Asked:
    return Asked(partnerships=3, customers=600, transactions=20, deals=4, leads=3, actions=5, rewards=6)


@pytest.fixture
def site(db: None, sandbox: Sandbox) -> Iterator[Sandbox]:
    """A site that is connected to the sandbox."""
    with (
        sandbox.serve() as server,
        override_settings(
            PARTNERSTACK_API_URL=f"{server.url}/api/v2",
            PARTNERSTACK_PUBLIC_KEY=TEST_KEYS[0],
            PARTNERSTACK_SECRET_KEY=TEST_KEYS[1],
        ),
    ):
        yield sandbox


class Ran:
    """What a command printed, and the error that it ended with, if any."""

    def __init__(self, *arguments: str) -> None:
        out, err = StringIO(), StringIO()
        self.error = ""
        try:
            call_command("partnerstack_sync", *arguments, stdout=out, stderr=err)
        except CommandError as error:
            self.error = str(error)
        self.out, self.err = out.getvalue(), err.getvalue()


@pytest.fixture
def sync() -> Callable[..., Ran]:
    return Ran


@pytest.fixture
def free_port() -> int:
    """A port on which nothing listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]
