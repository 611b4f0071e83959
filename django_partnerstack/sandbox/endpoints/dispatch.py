"""Answers a request: authenticates it, finds the route, calls its handler, builds the envelope."""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import formatdate
from typing import Any
from urllib.parse import parse_qs

from ..api.schema import json_object
from ..http.authentication import mode_of
from ..http.routing import Route, find
from ..replies import Answer, Refusal
from ..state import SandboxState
from . import conversions, partner_links, v1, v2

MINUTE = 60


def answer(
    sandbox: SandboxState, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes
) -> Answer:
    """Carry out a request; returns status, payload and headers."""
    is_v1 = path.startswith(v1.ROOT + "/")
    try:
        if path.startswith(partner_links.ROOT + "/"):
            return partner_links.answer(sandbox, method, path, query, headers)
        if path.rstrip("/") == conversions.PATH:
            return conversions.answer(sandbox, method, headers, body)
        return _call(sandbox, method, path, query, headers, body)
    except Refusal as refusal:
        return _error(sandbox, refusal, is_v1)


def _call(
    sandbox: SandboxState, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes
) -> Answer:
    """Carry out a request to either version of the API."""
    is_v1 = path.startswith(v1.ROOT + "/")
    mode = mode_of(headers)
    if mode is None:
        raise Refusal(401, "Unauthorized")
    _limit_rate(sandbox)
    route, keys = find(v1.ROUTES if is_v1 else v2.routes(), method, path)
    if set(sandbox.behaviour.forbidden).intersection(route.segments):
        raise Refusal(403, "Forbidden")
    parsed = json_object(body) if method in ("POST", "PATCH") else {}
    call = sandbox.call(mode, keys=keys, query=parse_qs(query, keep_blank_values=True), body=parsed)
    return _success(sandbox, route, route.handler(call), is_v1)


def _success(sandbox: SandboxState, route: Route, data: Any, is_v1: bool) -> Answer:
    status = int(sandbox.behaviour.create_status) if route.creates else 200
    payload = {"message": route.message, "status": _status(sandbox, status)}
    if data is not None:
        payload["rdata" if is_v1 else "data"] = data
    return status, payload, {}


def _error(sandbox: SandboxState, refusal: Refusal, is_v1: bool) -> Answer:
    payload = {"message": refusal.message, "status": _status(sandbox, refusal.status)}
    if is_v1:
        payload["error"] = refusal.message
    return refusal.status, payload, refusal.headers


def _status(sandbox: SandboxState, status: int) -> int | str:
    return str(status) if sandbox.behaviour.status_type == "str" else status


def _limit_rate(sandbox: SandboxState) -> None:
    """Raise Refusal with 429 if this minute has had too many requests."""
    allowed = sandbox.behaviour.requests_per_minute
    now = sandbox.now()
    minute, count = int(now // MINUTE), 1
    if sandbox.requests_of_minute[0] == minute:
        count += sandbox.requests_of_minute[1]
    sandbox.requests_of_minute = (minute, count)
    if allowed and count > allowed:
        wait = MINUTE - int(now % MINUTE)
        raise Refusal(429, "Too many requests", retry_after(sandbox, wait))


def retry_after(sandbox: SandboxState, seconds: int) -> dict[str, str]:
    """The header ``Retry-After``, in the form that ``Behaviour.retry_after`` selects."""
    form = sandbox.behaviour.retry_after
    if form == "off":
        return {}
    date = formatdate(sandbox.now() + seconds, usegmt=True)
    return {"Retry-After": str(seconds) if form == "seconds" else date}
