"""Things that go wrong on the way, on demand."""

from __future__ import annotations

from dataclasses import asdict, fields
from random import Random
from typing import Any

from .fault import Fault
from .replies import JSON_HEADERS, Reply

DEFAULTS: dict[str, dict[str, Any]] = {
    "latency": {"seconds": 1.0},
    "status": {"status": 503},
    "html": {"status": 502},
    "drip": {"seconds": 0.1},
    "oversized": {"size": 64 * 1024 * 1024},
}
PAGE = b"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"


def spoil(reply: Reply, fault: Fault) -> Reply:
    """The reply in the form that a fault gives it."""
    if fault.kind == "status":
        body = b'{"message":"Fault on demand","status":%d}' % fault.status
        reply = Reply(fault.status, dict(JSON_HEADERS), body)
    elif fault.kind == "empty":
        reply = Reply(200, dict(JSON_HEADERS))
    elif fault.kind == "html":
        reply = Reply(fault.status, {"Content-Type": "text/html"}, PAGE)
    elif fault.kind == "oversized":
        reply = Reply(reply.status, reply.headers, reply.body + b" " * fault.size)
    reply.fault = fault
    return reply


class Faults:
    """The faults that are on. Chance is seeded, so that a run can be repeated."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self.clear()

    def clear(self) -> None:
        self._random = Random(self._seed)  # noqa: S311
        self.active: list[Fault] = []

    def add(self, kind: str, **details: Any) -> Fault:
        """Let something go wrong; ``details`` are those of ``Fault``. Raises ValueError for a wrong one."""
        known = [item.name for item in fields(Fault)]
        for name in details:
            if name not in known:
                raise ValueError(f"A fault has no {name!r}. Known: {', '.join(known)}.")
        fault = Fault(kind=kind, **{**DEFAULTS.get(kind, {}), **details})
        self.active.append(fault)
        return fault

    def take(self, method: str, path: str) -> tuple[float, Fault | None]:
        """Seconds of latency for a request, and the first other fault that befalls it."""
        delay, befalling = 0.0, None
        for fault in self.active:
            if fault.kind != "latency" and befalling is not None:
                continue
            if not self._befalls(fault, method, path):
                continue
            if fault.kind == "latency":
                delay += fault.seconds
            else:
                befalling = fault
        return delay, befalling

    def _befalls(self, fault: Fault, method: str, path: str) -> bool:
        if fault.times == 0 or fault.method not in (None, method) or not path.startswith(fault.path):
            return False
        if fault.rate is not None and self._random.random() >= fault.rate:
            return False
        if fault.times is not None:
            fault.times -= 1
        return True

    def as_list(self) -> list[dict[str, Any]]:
        return [asdict(fault) for fault in self.active]
