"""Things that go wrong on the way, on demand."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from random import Random
from typing import Any

from .replies import JSON_HEADERS, Reply

#: What each kind does. Those marked * happen before anything took effect unless ``after_effect`` is true;
#: the others only spoil the answer to something that was done.
KINDS = {
    "latency": "the answer comes `seconds` later",
    "status": "* an error with `status`, and `retry_after` seconds in a header if given",
    "lost": "no answer: the connection is closed without one, after `seconds`",
    "reset": "* the connection is reset",
    "empty": "* 200 without a body",
    "html": "* a proxy's HTML page with `status` 502",
    "drip": "64 bytes of the body every `seconds`",
    "truncated": "half of the body, then the connection is closed",
    "oversized": "a body with `size` more bytes",
}
BEFORE_EFFECT = {"status", "reset", "empty", "html"}
DEFAULTS: dict[str, dict[str, Any]] = {
    "latency": {"seconds": 1.0},
    "status": {"status": 503},
    "html": {"status": 502},
    "drip": {"seconds": 0.1},
    "oversized": {"size": 64 * 1024 * 1024},
}
PAGE = b"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"


@dataclass(kw_only=True)
class Fault:
    """
    One thing that goes wrong, for requests of ``method`` (any) whose path begins with ``path``.

    It happens ``times`` times (always, if None), to the share ``rate`` of requests (all, if None).
    """

    kind: str
    method: str | None = None
    path: str = ""
    times: int | None = None
    rate: float | None = None
    seconds: float = 0
    status: int = 200
    retry_after: int | None = None
    after_effect: bool = False
    size: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"There is no fault {self.kind!r}. Known: {', '.join(KINDS)}.")
        if self.rate is not None and not 0 <= self.rate <= 1:
            raise ValueError(f"rate must be from 0 to 1, not {self.rate!r}.")

    @property
    def prevents(self) -> bool:
        """Whether the request does not reach PartnerStack."""
        return self.kind in BEFORE_EFFECT and not self.after_effect

    def spoil(self, reply: Reply) -> Reply:
        """The reply in the form that this fault gives it."""
        if self.kind == "status":
            body = b'{"message":"Fault on demand","status":%d}' % self.status
            reply = Reply(self.status, dict(JSON_HEADERS), body)
        elif self.kind == "empty":
            reply = Reply(200, dict(JSON_HEADERS))
        elif self.kind == "html":
            reply = Reply(self.status, {"Content-Type": "text/html"}, PAGE)
        elif self.kind == "oversized":
            reply = Reply(reply.status, reply.headers, reply.body + b" " * self.size)
        reply.fault = self
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
