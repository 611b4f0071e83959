"""From a request to the status and JSON of its answer: keys, route, verb, envelope."""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import formatdate
from typing import Any
from urllib.parse import parse_qs

from . import conversions, links, v1
from .keys import mode_of
from .replies import Answer, Refusal
from .routes import ROUTES, Route, find
from .schema import json_object
from .state import State

MINUTE = 60


def answer(
    sandbox: State, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes
) -> Answer:
    """Status, payload and headers for a request; carries it out."""
    is_v1 = path.startswith(v1.ROOT + "/")
    try:
        if path.startswith(links.ROOT + "/"):
            return links.answer(sandbox, method, path, query, headers)
        if path.rstrip("/") == conversions.PATH:
            return conversions.answer(sandbox, method, headers, body)
        return _call(sandbox, method, path, query, headers, body)
    except Refusal as refusal:
        return _refused(sandbox, refusal, is_v1)


def _call(
    sandbox: State, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes
) -> Answer:
    """Carry out a request to the API, either version of it."""
    is_v1 = path.startswith(v1.ROOT + "/")
    mode = mode_of(headers)
    if mode is None:
        raise Refusal(401, "Unauthorized")
    _limit_rate(sandbox)
    route, keys = find(v1.ROUTES if is_v1 else ROUTES, method, path)
    sent = json_object(body) if method in ("POST", "PATCH") else {}
    call = sandbox.call(mode, keys=keys, query=parse_qs(query, keep_blank_values=True), body=sent)
    return _succeeded(sandbox, route, route.handler(call), is_v1)


def _succeeded(sandbox: State, route: Route, data: Any, is_v1: bool) -> Answer:
    status = int(sandbox.behaviour.create_status) if route.creates else 200
    payload = {"message": route.message, "status": _status(sandbox, status)}
    if data is not None:
        payload["rdata" if is_v1 else "data"] = data
    return status, payload, {}


def _refused(sandbox: State, refusal: Refusal, is_v1: bool) -> Answer:
    payload = {"message": refusal.message, "status": _status(sandbox, refusal.status)}
    if is_v1:
        payload["error"] = refusal.message
    return refusal.status, payload, refusal.headers


def _status(sandbox: State, status: int) -> int | str:
    return str(status) if sandbox.behaviour.status_type == "str" else status


def _limit_rate(sandbox: State) -> None:
    """Refuse what goes beyond the calls of this minute."""
    allowed = sandbox.behaviour.requests_per_minute
    now = sandbox.clock()
    minute = int(now // MINUTE)
    sandbox.calls = (minute, sandbox.calls[1] + 1 if sandbox.calls[0] == minute else 1)
    if allowed and sandbox.calls[1] > allowed:
        wait = MINUTE - int(now % MINUTE)
        raise Refusal(429, "Too many requests", retry_after(sandbox, wait))


def retry_after(sandbox: State, seconds: int) -> dict[str, str]:
    """The header that says when to come back, in the form that the behaviour has."""
    form = sandbox.behaviour.retry_after
    if form == "off":
        return {}
    return {
        "Retry-After": str(seconds)
        if form == "seconds"
        else formatdate(sandbox.clock() + seconds, usegmt=True)
    }
