"""The sandbox behind a ``requests`` session: no socket, no port, no thread."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import BaseAdapter, HTTPAdapter
from urllib3 import HTTPResponse

from ..sandbox import Reply, Sandbox


class SandboxAdapter(BaseAdapter):
    """
    Answers the requests of a session from a sandbox, with its faults:

        session.mount("https://api.partnerstack.com/", SandboxAdapter(sandbox))

    A lost reply raises ``ReadTimeout`` at once, and so does latency beyond the request's read timeout; a
    reset raises ``ConnectionError``; a body cut short raises while it is read. Other latency is handed to
    ``sleep``. Every request is kept in ``requests``, in order.
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
        self._travel(request, reply, timeout[1] if isinstance(timeout, tuple) else timeout)
        response = HTTPAdapter().build_response(request, _raw(reply))
        if not stream:
            response.content  # noqa: B018  reads the body, as an HTTPAdapter does
        return response

    def close(self) -> None:
        """Nothing is open."""

    def _travel(self, request: requests.PreparedRequest, reply: Reply, patience: float | None) -> None:
        """Let happen on the way what the reply says; raises what ``requests`` would."""
        kind = reply.fault.kind if reply.fault else ""
        if kind == "reset":
            raise requests.ConnectionError("The connection was reset", request=request)
        drip = reply.fault.seconds if reply.fault and kind == "drip" else 0
        if kind == "lost" or (patience is not None and max(reply.delay, drip) > patience):
            raise requests.ReadTimeout("No answer in time", request=request)
        # A body that drips is handed over whole, when its last byte would have come.
        wait = reply.delay + drip * len(reply.body) / 64
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
