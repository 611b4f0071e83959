"""How a call becomes a request: its query and body, and the retries of a read."""

from __future__ import annotations

import json as jsonlib
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit

from requests.auth import AuthBase

from ..exceptions import InvalidArgument, RequestError
from .credentials import Scrubber
from .replies import Reply, excerpt, parse_response
from .retry import RetryPolicy, retry
from .transport import Transport
from .validation import Check, filter_value

T = TypeVar("T")


class Unset:
    """The type of ``UNSET``: an argument that was not given and is not sent. None is sent as null."""

    def __repr__(self) -> str:
        return "UNSET"


UNSET = Unset()


@dataclass(frozen=True, slots=True)
class Exchange:
    """
    One request and its answer, for a record. No text contains a key of the client.

    ``path``: of the URL, without the query. ``seconds``: from the connection to the end of the answer.
    ``status``: None without an answer; ``error`` then says why. ``answer``: the beginning of the body.
    """

    method: str
    path: str
    seconds: float
    status: int | None
    answer: str = ""
    error: str = ""


Recorder = Callable[[Exchange], None]
_recorder: ContextVar[Recorder | None] = ContextVar("recorder", default=None)


@contextmanager
def recorded_by(recorder: Recorder | None) -> Iterator[None]:
    """Call ``recorder`` after each request of this thread, of whatever client. None: record nothing."""
    token = _recorder.set(recorder)
    try:
        yield
    finally:
        _recorder.reset(token)


@dataclass(frozen=True, repr=False)
class Api:
    """One account at one URL. Reads are retried, writes are sent once."""

    transport: Transport
    url: str
    auth: AuthBase
    scrub: Scrubber
    deadline: float
    retry_policy: RetryPolicy
    #: How many seconds are left until the moment of ``Client.until``.
    seconds_until: Callable[[], float] = lambda: math.inf

    def call(
        self,
        method: str,
        path: str,
        convert: Callable[[Any], T],
        *,
        params: list[tuple[str, str]] | None = None,
        json: Any = None,
        root: bool = False,
        may_be_empty: bool = False,
    ) -> T:
        """
        Send a request and return its data, converted.

        ``path`` is encoded. ``root``: it is below the API's URL without ``/v2``, as two routes of deals are.
        ``may_be_empty``: a successful response may have no body. Raises ``RequestError``, or ``RecordError``
        from ``convert``.
        """
        url = (self.url.removesuffix("/v2") if root else self.url) + path
        body = None if json is None else encode(json)
        policy = self.retry_policy
        deadline = policy.clock() + min(self.deadline, self.seconds_until())

        def seconds_left() -> float:
            return min(deadline - policy.clock(), self.seconds_until())

        def exchange() -> Reply:
            return self.transport.exchange(
                method,
                url,
                path=self.scrub(path) or "/",
                auth=self.auth,
                scrub=self.scrub,
                seconds_left=seconds_left,
                params=params,
                body=body,
            )

        def attempt() -> T:
            reply = self._recorded(method, url, exchange)
            return parse_response(
                reply, convert, scrub=self.scrub, now=policy.wall_clock(), may_be_empty=may_be_empty
            )

        return retry(attempt, deadline, policy) if method == "GET" else attempt()

    def _recorded(self, method: str, url: str, exchange: Callable[[], Reply]) -> Reply:
        if (record := _recorder.get()) is None:
            return exchange()
        path, begin = self.scrub(urlsplit(url).path) or "/", self.retry_policy.clock()
        try:
            reply = exchange()
        except RequestError as error:
            seconds = self.retry_policy.clock() - begin
            record(Exchange(method, path, seconds, error.status, error=error.message))
            raise
        seconds = self.retry_policy.clock() - begin
        record(Exchange(method, path, seconds, reply.status, excerpt(reply.body, self.scrub)))
        return reply


def encode(value: Any) -> bytes:
    """The JSON body of a request. Refuses NaN and infinity, which JSON does not have."""
    try:
        return jsonlib.dumps(value, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidArgument(f"This cannot be sent as JSON: {error}.") from None


def query(filters: Mapping[str, Any]) -> list[tuple[str, str]]:
    """
    Filters as a query string has them.

    Datetimes become milliseconds since 1970, True and False ``true`` and ``false``. A list repeats its name
    for each value. None is omitted.
    """
    pairs: list[tuple[str, str]] = []
    for name, value in filters.items():
        values = value if isinstance(value, (list, tuple)) else [value]
        pairs += [(name, filter_value(name, each)) for each in values if each is not None]
    return pairs


def body(checks: Mapping[str, Check], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """
    The fields of a request that were given, each as its check returns it.

    ``arguments``: the ``locals()`` of a method whose arguments have the names of the fields.
    """
    given = {name: arguments[name] for name in checks if name in arguments}
    return {name: checks[name](name, value) for name, value in given.items() if not isinstance(value, Unset)}


def changes(checks: Mapping[str, Check], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """As ``body``, for an update. Refuses an update without any field."""
    if not (given := body(checks, arguments)):
        raise InvalidArgument("Name at least one field to change.")
    return given


def exactly_one(**fields: Any) -> dict[str, Any]:
    given = {name: value for name, value in fields.items() if value is not None}
    if len(given) != 1:
        raise InvalidArgument(f"Give exactly one of {', '.join(fields)}.")
    return given
