"""The deliveries of a sandbox: each change of an object is sent to the endpoints that asked for it."""

from __future__ import annotations

import heapq
import http.client
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event, RLock
from typing import Protocol
from urllib.parse import urlsplit

from ..behaviour.switches import Behaviour
from ..http.allowed_sites import AllowedSites
from ..resources import RESOURCES
from ..storage.database import Database
from ..storage.table import Row
from .bodies import body, event_name

#: Seconds to wait for an endpoint, and by how many at most a reordered delivery comes later.
TIMEOUT, LATEST = 10.0, 3.0

#: How often the thread of a served sandbox looks for deliveries. In seconds.
POLL = 0.02

HEADERS = {"Content-Type": "application/json", "User-Agent": "python-requests/2.26.0", "Accept": "*/*"}

#: Sends a body to a URL and returns the status of the response. Raises OSError without a response.
Send = Callable[[str, bytes], int]


class Source(Protocol):
    """What is needed of a sandbox."""

    databases: dict[str, Database]
    behaviour: Behaviour
    sites: AllowedSites
    clock: Callable[[], float]


@dataclass(order=True)
class Delivery:
    """One delivery. ``status``: of the last response, 0 without a response, None before it was sent."""

    due_at: float
    number: int
    url: str = field(compare=False, repr=False)
    event: str = field(compare=False)
    webhook: str = field(compare=False)
    content: bytes = field(compare=False, repr=False)
    attempts: int = field(default=0, compare=False)
    status: int | None = field(default=None, compare=False)


class Deliveries:
    """
    The deliveries that wait (``pending``) and those that ended (``ended``), oldest first.

    ``send`` can be replaced. The sandbox delivers while it is served; otherwise call ``deliver_due``.
    """

    def __init__(self, sandbox: Source, lock: RLock) -> None:
        self.sandbox = sandbox
        self.lock = lock
        self.send: Send = post
        self.clear()

    def clear(self) -> None:
        self.pending: list[Delivery] = []
        self.ended: list[Delivery] = []
        self._number = 0

    def changed(self, mode: str, resource: str, verb: str, row: Row) -> None:
        """An object was created, updated or deleted: queue a delivery to each endpoint that wants to know."""
        database, behaviour = self.sandbox.databases[mode], self.sandbox.behaviour
        endpoints = [each for each in database["webhooks"].orders["created_at"] if not each.get("archived")]
        noun = resource.removesuffix("s")
        wanted = {f"{noun}.{verb}", f"{noun}_{verb}"}
        if resource == "webhooks" or not any(wanted & set(each["events"]) for each in endpoints):
            return
        item = RESOURCES[resource].show(database, row, behaviour)
        name = event_name(resource, verb, behaviour)
        content = json.dumps(body(name, resource, item, test=database.test, behaviour=behaviour)).encode()
        for endpoint in endpoints:
            if wanted & set(endpoint["events"]) and not self._chance(behaviour.webhook_lost):
                for _ in range(1 + self._chance(behaviour.webhook_doubled)):
                    self._queue(endpoint, name, content)

    def _queue(self, endpoint: Row, event: str, content: bytes) -> None:
        behaviour = self.sandbox.behaviour
        delay = behaviour.webhook_delay
        least, most = delay if isinstance(delay, tuple) else (delay, delay)
        seconds = least + (most - least) * self._draw()
        if self._chance(behaviour.webhook_reordered):
            seconds += LATEST * self._draw()
        due_at = self.sandbox.clock() + seconds
        delivery = Delivery(due_at, self._number, endpoint["target_url"], event, endpoint["key"], content)
        heapq.heappush(self.pending, delivery)

    def _chance(self, rate: float) -> bool:
        return bool(rate) and self._draw() < rate

    def _draw(self) -> float:
        self._number += 1
        return self.sandbox.databases["test"].draw("webhooks", self._number)

    def deliver_due(self) -> int:
        """Send what is due, in the order of the due times. Returns how many."""
        number = 0
        while (delivery := self._take()) is not None:
            self._deliver(delivery)
            number += 1
        return number

    def run(self, closing: Event) -> None:
        """Send what is due until ``closing`` is set."""
        while not closing.wait(POLL):
            while not closing.is_set() and (delivery := self._take()) is not None:
                self._deliver(delivery)

    def _take(self) -> Delivery | None:
        with self.lock:
            if self.pending and self.pending[0].due_at <= self.sandbox.clock():
                return heapq.heappop(self.pending)
        return None

    def _deliver(self, delivery: Delivery) -> None:
        delivery.attempts += 1
        try:
            # Only to this machine and the sandbox's sites, as partner links do.
            delivery.status = self.send(self.sandbox.sites.destination(delivery.url), delivery.content)
        except (OSError, ValueError, http.client.HTTPException):
            delivery.status = 0
        with self.lock:
            has_arrived = 200 <= delivery.status < 300
            if has_arrived or delivery.attempts > self.sandbox.behaviour.webhook_retries:
                self.ended.append(delivery)
            else:
                delivery.due_at = self.sandbox.clock() + 2.0 ** (delivery.attempts - 1)
                heapq.heappush(self.pending, delivery)


def post(url: str, content: bytes) -> int:
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.netloc, timeout=TIMEOUT)
    try:
        connection.request("POST", parts.path or "/", content, HEADERS)
        return connection.getresponse().status
    finally:
        connection.close()
