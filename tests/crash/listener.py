"""A sandbox that records which worker reads what, and what that says about their syncs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from django_partnerstack.resources import RESOURCES
from django_partnerstack.sandbox import Sandbox

#: Seconds that PartnerStack takes for a page.
PAGE = 0.3


@dataclass(frozen=True)
class Read:
    """A request for a page, ``at`` seconds since the epoch, by the worker that uses this address."""

    at: float
    address: str
    resource: str
    begins: bool


class Listener(Sandbox):
    """``pauses``: from when until when a worker was frozen or dead."""

    def __init__(self) -> None:
        super().__init__(customers=600, transactions=300)
        self.faults.add("latency", seconds=PAGE)
        self.reads: list[Read] = []
        self.pauses: list[tuple[float, float]] = []

    def handle(self, method: str, target: str, headers: Any, body: bytes = b"") -> Any:
        path, _, query = target.partition("?")
        if method == "GET" and (resource := path.rpartition("/")[2]) in RESOURCES:
            # Not the first page of a list, nor of the second list of a resource.
            begins = "starting_after=" not in query and "status=" not in query
            address = {name.lower(): value for name, value in headers.items()}["host"]
            self.reads.append(Read(self.clock(), address, resource, begins))
        return super().handle(method, target, headers, body)

    def next_reader(self, resource: str, began: int) -> str | None:
        """The address of the worker that reads the resource next, after the first ``began`` reads."""
        later = (read.address for read in self.reads[began:] if read.resource == resource)
        return next(later, None)

    def simultaneous(self) -> list[tuple[Read, Read]]:
        """Reads of a resource by two workers within the time of a page, if neither was frozen or dead."""
        return [
            (before, after)
            for before, after in self._in_a_row()
            if before.address != after.address
            and after.at < before.at + PAGE
            and not self._is_near_pause(after.at)
        ]

    def doubled(self, every: float) -> list[tuple[Read, Read]]:
        """Syncs of a resource that began although one had begun less than ``every`` seconds before."""
        return [
            (before, after)
            for before, after in self._in_a_row(beginning=True)
            if after.at < before.at + every - PAGE and not self._is_near_pause(after.at)
        ]

    def _in_a_row(self, beginning: bool = False) -> Iterator[tuple[Read, Read]]:
        for name in RESOURCES:
            reads = (read for read in self.reads if read.resource == name)
            yield from pairwise(read for read in reads if read.begins or not beginning)

    def _is_near_pause(self, at: float) -> bool:
        """At the begin or end of a pause, when a worker may still have a request in flight."""
        return any(abs(at - edge) < 2 * PAGE for pause in self.pauses for edge in pause)
