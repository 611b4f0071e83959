"""The sandbox's responses, and the error that becomes a response."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from .behaviour.faults import Fault

JSON_HEADERS = {"Content-Type": "application/json"}
ERROR_PAGE = b"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
#: Status, payload and headers; without a payload the response has no body.
Answer = tuple[int, Any, dict[str, str]]


@dataclass
class Reply:
    """
    One HTTP response.

    The transport waits ``delay`` seconds before the first byte, and carries out ``fault``.
    """

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    delay: float = 0
    fault: Fault | None = None


class Refusal(Exception):
    """PartnerStack refuses a request: an HTTP status and one sentence."""

    def __init__(self, status: int, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = headers or {}


def json_reply(status: int, payload: Any, headers: dict[str, str] | None = None) -> Reply:
    """A response with a JSON body, or without a body if the payload is None."""
    if payload is None:
        return Reply(status, dict(headers or {}))
    body = json.dumps(payload, separators=(",", ":")).encode()
    return Reply(status, {**JSON_HEADERS, **(headers or {})}, body)


def with_fault(reply: Reply, fault: Fault) -> Reply:
    """This response, changed by a fault."""
    if fault.kind == "status":
        body = b'{"message":"Fault on demand","status":%d}' % fault.status
        reply = Reply(fault.status, dict(JSON_HEADERS), body)
    elif fault.kind == "empty":
        reply = Reply(200, dict(JSON_HEADERS))
    elif fault.kind == "html":
        reply = Reply(fault.status, {"Content-Type": "text/html"}, ERROR_PAGE)
    elif fault.kind == "oversized":
        reply = Reply(reply.status, reply.headers, reply.body + b" " * fault.size)
    reply.fault = fault
    return reply
