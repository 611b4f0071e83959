"""One thing that goes wrong on the way."""

from __future__ import annotations

from dataclasses import dataclass

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
