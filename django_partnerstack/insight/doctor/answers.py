"""Asks PartnerStack for everything at once: a page of each list, and what the responses say about the way."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any

from ...client import Client, RetryPolicy
from ...client.sockets import new_session
from ...connection import get_client
from ...exceptions import NotFound
from ...models.mirror import Mode
from ...resources import RESOURCES
from ..findings import Finding, finding
from .in_parallel import together

#: Seconds that a question may take, including its second attempt.
SECONDS = 15.0

#: Objects of a page: enough to see which mode they belong to, and all endpoints.
PAGE, PAGES = 25, {"webhooks": 250}

TEST_PARTNER = "gstest"

#: When a certificate that expires needs attention. It is usually renewed much earlier.
RENEWED_BEFORE = timedelta(days=7)


@dataclass
class Watch:
    """
    What responses say besides their content. A hook of a session.

    ``ahead``: by how many seconds this machine's clock is ahead of the other; None if no response said.
    ``tls`` and ``expires_at``: the version of TLS, and when the certificate expires.
    """

    ahead: float | None = None
    tls: str = ""
    expires_at: datetime | None = None
    #: How long the response with the date took. A quick one tells the time best.
    _took: float = field(default=float("inf"))

    def __call__(self, response: Any, **options: Any) -> None:
        now = time.time()
        # What a response does not say is not known.
        with suppress(Exception):
            self._read_date(response, now)
        with suppress(Exception):
            self._read_tls(response)

    def expiring(self, host: str) -> Finding | None:
        """A finding if the host's certificate expires soon."""
        left = self.expires_at - datetime.now(timezone.utc) if self.expires_at else RENEWED_BEFORE
        if left >= RENEWED_BEFORE:
            return None
        return finding("certificate-expires", host=host, number=max(left.days, 0))

    def _read_date(self, response: Any, now: float) -> None:
        took = response.elapsed.total_seconds()
        if took >= self._took or "Age" in response.headers:
            return
        sent_at = parsedate_to_datetime(response.headers["Date"]).replace(tzinfo=timezone.utc)
        # The header has whole seconds, and was written in the middle of the exchange.
        self.ahead, self._took = now - took / 2 - (sent_at.timestamp() + 0.5), took

    def _read_tls(self, response: Any) -> None:
        sock = response.raw._original_response.sock
        certificate = sock.getpeercert()
        self.tls = sock.version()
        seconds = ssl.cert_time_to_seconds(certificate["notAfter"])
        self.expires_at = datetime.fromtimestamp(seconds, timezone.utc)


@dataclass(frozen=True)
class Answers:
    """
    ``by_name``: a page or an error, by the name of a resource, and "webhooks" and "links". ``seconds``: how
    long all of it took.
    """

    by_name: Mapping[str, Any]
    watch: Watch
    seconds: float

    @property
    def errors(self) -> dict[str, Exception]:
        return {name: answer for name, answer in self.by_name.items() if isinstance(answer, Exception)}

    @property
    def pages(self) -> dict[str, Any]:
        return {name: answer for name, answer in self.by_name.items() if not isinstance(answer, Exception)}

    def modes(self) -> dict[Mode, int]:
        """How many of the returned objects are marked as test objects, and how many are not."""
        flags = [getattr(record, "test", None) for page in self.pages.values() for record in page.records]
        found = {Mode.TEST: flags.count(True), Mode.PRODUCTION: flags.count(False)}
        return {mode: number for mode, number in found.items() if number}


def watched_client(watch: Watch, *, deadline: float = SECONDS, attempts: int = 2) -> Client:
    """A client of the settings whose responses are watched. Raises ``ConfigurationError``."""
    session = new_session(use_environment=True)
    session.hooks["response"].append(watch)
    return get_client(session=session, deadline=deadline, retry_policy=RetryPolicy(attempts=attempts))


def ask(client: Client, watch: Watch) -> Answers:
    """Ask for a page of each list that this app reads. Takes little more than ``SECONDS`` at most."""
    began = time.monotonic()
    questions: dict[str, Callable[[], Any]] = {
        name: partial(getattr(client, name).list, limit=PAGES.get(name, PAGE))
        for name in (*RESOURCES, "webhooks")
    }
    questions["links"] = partial(_links, client)
    # A few more seconds for the threads themselves.
    answers = together(questions, SECONDS + 3)
    return Answers(answers, watch, time.monotonic() - began)


def _links(client: Client) -> Any:
    """The links of the test partner, or without it of any other."""
    try:
        return client.links.list(TEST_PARTNER)
    except NotFound:
        partners = client.partnerships.list(limit=1).records
        if not partners:
            raise
        return client.links.list(partners[0].key)
