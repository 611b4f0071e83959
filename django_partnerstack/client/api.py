"""Calls of the API: where to, with which keys, tried how often, understood how."""

from __future__ import annotations

import json as jsonlib
from collections.abc import Callable
from typing import Any, TypeVar

from requests.auth import AuthBase

from ..exceptions import InvalidArgument
from .credentials import Scrubber
from .replies import understand
from .retry import Pace, retrying
from .transport import Transport

T = TypeVar("T")

METHODS = ("GET", "POST", "PATCH", "PUT", "DELETE")


class Api:
    """One account at one URL. Reads are tried again, writes are sent once."""

    def __init__(
        self, transport: Transport, url: str, auth: AuthBase, scrub: Scrubber, *, deadline: float, pace: Pace
    ) -> None:
        self._transport = transport
        self._url = url
        self._auth = auth
        self._scrub = scrub
        self._deadline = deadline
        self._pace = pace

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
        What ``convert`` makes of the data of the answer.

        ``root``: the path is below the URL without its ``/v2``, where two routes of deals are.
        ``may_be_empty``: a good answer may have no body.
        """
        url = (self._url.removesuffix("/v2") if root else self._url) + path
        body = None if json is None else encode(json)
        shown = self._scrub(path) or "/"
        ends = self._pace.clock() + self._deadline

        def attempt() -> T:
            reply = self._transport.exchange(
                method,
                url,
                path=shown,
                auth=self._auth,
                scrub=self._scrub,
                left=lambda: ends - self._pace.clock(),
                params=params,
                body=body,
            )
            now = self._pace.wall_clock()
            return understand(reply, convert, scrub=self._scrub, now=now, may_be_empty=may_be_empty)

        return retrying(attempt, ends, self._pace) if method == "GET" else attempt()


def encode(value: Any) -> bytes:
    """The body of a request. NaN and infinity are refused, since they are not JSON."""
    try:
        return jsonlib.dumps(value, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidArgument(f"This cannot be sent as JSON: {error}.") from None


def checked_method(method: str) -> str:
    upper = method.upper() if isinstance(method, str) else ""
    if upper not in METHODS:
        raise InvalidArgument(f"The method must be one of {', '.join(METHODS)}.")
    return upper
