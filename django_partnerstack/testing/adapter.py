"""Connects a ``requests`` session to a sandbox, without a socket, port or thread."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import BaseAdapter, HTTPAdapter
from urllib3 import HTTPResponse

from django_partnerstack.sandbox import Reply, Sandbox
from django_partnerstack.sandbox.behaviour.faults import DRIP_BYTES


class SandboxAdapter(BaseAdapter):
    """
    Sends the requests of a session to a sandbox:

        session = requests.Session()
        session.mount("https://api.partnerstack.com/", SandboxAdapter(sandbox))
        client = Client(*TEST_KEYS, session=session)

    ``requests`` lists all requests that were sent, in order.

    The sandbox's faults raise the same errors as on a network: ``requests.ReadTimeout`` for a lost response
    and, without waiting, for latency longer than the read timeout; ``requests.ConnectionError`` for a reset;
    ``requests.exceptions.ChunkedEncodingError`` when a truncated body is read. For other latency the adapter
    calls ``sleep`` with seconds.
    """

    def __init__(self, sandbox: Sandbox, *, sleep: Callable[[float], None] = time.sleep) -> None:
        super().__init__()
        self.sandbox = sandbox
        self.sleep = sleep
        self.requests: list[requests.PreparedRequest] = []

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: float | tuple[float, float] | tuple[float, None] | None = None,
        verify: bool | str = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        self.requests.append(request)
        body = request.body or b""
        url = request.url or "/"
        reply = self.sandbox.handle(
            request.method or "GET",
            _target(url),
            {"Host": urlsplit(url).netloc, **request.headers},
            body.encode() if isinstance(body, str) else bytes(body),
        )
        self._transmit(request, reply, timeout[1] if isinstance(timeout, tuple) else timeout)
        response = HTTPAdapter().build_response(request, _raw(reply))
        if not stream:
            response.content  # noqa: B018  reads the body, as HTTPAdapter does
        return response

    def close(self) -> None:
        """Do nothing: there is no connection."""

    def _transmit(self, request: requests.PreparedRequest, reply: Reply, read_timeout: float | None) -> None:
        """Carry out the delay and the fault of a reply; raises the errors of ``requests``."""
        kind = reply.fault.kind if reply.fault else ""
        if kind == "reset":
            raise requests.ConnectionError("The connection was reset", request=request)
        drip = reply.fault.seconds if reply.fault and kind == "drip" else 0
        if kind == "lost" or (read_timeout is not None and max(reply.delay, drip) > read_timeout):
            raise requests.ReadTimeout("The response did not arrive in time", request=request)
        # The whole body arrives when its last byte would have arrived.
        wait = reply.delay + drip * len(reply.body) / DRIP_BYTES
        if wait:
            self.sleep(wait)


def _target(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def _raw(reply: Reply) -> HTTPResponse:
    whole = len(reply.body)
    sent = whole // 2 if reply.fault and reply.fault.kind == "truncated" else whole
    return HTTPResponse(
        BytesIO(reply.body[:sent]),
        headers={**reply.headers, "Content-Length": str(whole)},
        status=reply.status,
        preload_content=False,
        enforce_content_length=True,
    )
