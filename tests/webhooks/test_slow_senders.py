"""Senders that send slowly, or stop in the middle, over a real socket."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.core.wsgi import get_wsgi_application

from django_partnerstack.models import WebhookCounter, WebhookEvent

from .conftest import SECRET

pytestmark = pytest.mark.django_db(transaction=True)

#: Seconds that the server of the site waits for the next bytes, as its time-out setting says.
TIME_OUT = 0.5
#: Far more than the server may wait.
PATIENCE = 10


class Handler(WSGIRequestHandler):
    timeout = TIME_OUT

    def log_message(self, *args: Any) -> None:
        """Print nothing."""


@pytest.fixture
def address() -> Iterator[tuple[str, int]]:
    server = ThreadedWSGIServer(("127.0.0.1", 0), Handler, ipv6=False)
    server.set_app(get_wsgi_application())
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield ("127.0.0.1", server.server_address[1])
    server.shutdown()
    server.server_close()
    thread.join()


def status_of(address: tuple[str, int], secret: str, length: int, body: bytes = b"") -> int:
    """The status of the response to a sender that promises a length, sends less, and waits."""
    with socket.create_connection(address, timeout=PATIENCE) as sender:
        head = (
            f"POST /partnerstack/webhooks/{secret}/ HTTP/1.1\r\nHost: testserver\r\nContent-Length: {length}"
        )
        sender.sendall(head.encode() + b"\r\nContent-Type: application/json\r\n\r\n" + body)
        return int(sender.makefile("rb").readline().split()[1])


@pytest.mark.parametrize("body", [b"", b'{"event": "part'])
def test_a_stranger_cannot_make_the_site_wait_for_a_body(
    address: tuple[str, int], body: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Handler, "timeout", None)
    assert status_of(address, "another-secret", 1000, body) == 404


def test_a_body_that_is_too_long_is_refused_before_it_is_read(
    address: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Handler, "timeout", None)
    assert status_of(address, SECRET, 10**9) == 413


@pytest.mark.parametrize("body", [b"", b'{"event": "partnership.upda', b'{"event": "partnership.updated"}'])
def test_a_sender_that_stops_ends_with_the_time_out_of_the_server_and_nothing_is_stored(
    address: tuple[str, int], body: bytes
) -> None:
    assert status_of(address, SECRET, 1000, body) == 400
    assert not WebhookEvent.objects.exists()
    assert not WebhookCounter.objects.exists()
