"""Faults on demand: errors, lost and slow responses, and others."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from random import Random
from typing import Any

#: Bytes that the fault ``drip`` sends at a time.
DRIP_BYTES = 64
#: What each kind does. A kind marked with * prevents the request from taking effect unless ``after_effect``
#: is true; the others only spoil the response to a request that took effect.
KINDS = {
    "latency": "the response comes `seconds` later",
    "status": "* an error with `status`, and `retry_after` seconds in a header if given",
    "lost": "no response: the server closes the connection after `seconds`",
    "reset": "* the connection is reset",
    "empty": "* 200 without a body",
    "html": "* a proxy's HTML page with `status` 502",
    "drip": f"{DRIP_BYTES} bytes of the body every `seconds`",
    "truncated": "half of the body, then the server closes the connection",
    "oversized": "a body with `size` more bytes",
}
PREVENTING_KINDS = {"status", "reset", "empty", "html"}
DEFAULTS: dict[str, dict[str, Any]] = {
    "latency": {"seconds": 1.0},
    "status": {"status": 503},
    "html": {"status": 502},
    "drip": {"seconds": 0.1},
    "oversized": {"size": 64 * 1024 * 1024},
}


@dataclass(kw_only=True)
class Fault:
    """
    A fault of requests with ``method`` (None: any) whose path begins with ``path``.

    It happens ``times`` times (None: always), to the share ``rate`` of requests (None: all). Raises
    ValueError for an unknown kind and for a rate outside 0 to 1.
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
    def prevents_effect(self) -> bool:
        """Whether the request does not reach PartnerStack."""
        return self.kind in PREVENTING_KINDS and not self.after_effect


class Faults:
    """The active faults. Chance is seeded, so that a test run can be repeated."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self.clear()

    def clear(self) -> None:
        self._random = Random(self._seed)  # noqa: S311
        self.active: list[Fault] = []

    def add(self, kind: str, **details: Any) -> Fault:
        """Activate a fault; ``details`` are the fields of ``Fault``. Raises ValueError for a wrong field."""
        known = [item.name for item in fields(Fault)]
        for name in details:
            if name not in known:
                raise ValueError(f"A fault has no {name!r}. Known: {', '.join(known)}.")
        fault = Fault(kind=kind, **{**DEFAULTS.get(kind, {}), **details})
        self.active.append(fault)
        return fault

    def take(self, method: str, path: str) -> tuple[float, Fault | None]:
        """Seconds of latency for a request, and the first other fault that applies to it."""
        delay, first = 0.0, None
        for fault in self.active:
            if fault.kind != "latency" and first is not None:
                continue
            if not self._applies(fault, method, path):
                continue
            if fault.kind == "latency":
                delay += fault.seconds
            else:
                first = fault
        return delay, first

    def _applies(self, fault: Fault, method: str, path: str) -> bool:
        if fault.times == 0 or fault.method not in (None, method) or not path.startswith(fault.path):
            return False
        if fault.rate is not None and self._random.random() >= fault.rate:
            return False
        if fault.times is not None:
            fault.times -= 1
        return True

    def as_list(self) -> list[dict[str, Any]]:
        return [asdict(fault) for fault in self.active]
