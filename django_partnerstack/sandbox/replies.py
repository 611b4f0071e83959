"""What the sandbox answers with."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from .fault import Fault

JSON_HEADERS = {"Content-Type": "application/json"}
#: Status, payload and headers; no payload, no body.
Answer = tuple[int, Any, dict[str, str]]


@dataclass
class Reply:
    """
    One HTTP answer. ``delay`` and ``fault`` say how it travels: whoever carries the reply obeys them.

    ``delay`` is in seconds, before the first byte.
    """

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    delay: float = 0
    fault: Fault | None = None


class Refusal(Exception):
    """PartnerStack says no: an HTTP status and one sentence."""

    def __init__(self, status: int, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = headers or {}


def json_reply(status: int, payload: Any, headers: dict[str, str] | None = None) -> Reply:
    if payload is None:
        return Reply(status, dict(headers or {}))
    body = json.dumps(payload, separators=(",", ":")).encode()
    return Reply(status, {**JSON_HEADERS, **(headers or {})}, body)
