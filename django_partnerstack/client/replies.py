"""What an answer means: the data in it, or the error that it stands for."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timezone
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

from requests.structures import CaseInsensitiveDict

from ..exceptions import (
    AuthenticationFailed,
    BadRequest,
    Conflict,
    ErrorReply,
    Forbidden,
    NotFound,
    RateLimited,
    RecordError,
    RequestError,
    ServerError,
    UnusableReply,
)
from . import parsing
from .credentials import Scrubber

T = TypeVar("T")

#: Words of an error are cut here; a proxy's page is longer than anyone reads.
LONGEST_MESSAGE = 300
#: No ``Retry-After`` is believed beyond a day.
LONGEST_WAIT = 86_400.0
ERRORS: dict[int, type[ErrorReply]] = {
    401: AuthenticationFailed,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    429: RateLimited,
}
#: Not documented which status a duplicate gets, so a 400 or 422 is read for these words.
SPEAKS_OF_EXISTING = re.compile(
    r"\balready\b|\bduplicated?\b|\bunique\b|\btaken\b|^(?!no ).*(?<!not )(?<!n't )(?<!no longer )\bexists\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as it came, with what was asked."""

    method: str
    path: str
    status: int
    # Both may repeat a key.
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


def understand(
    reply: Reply, convert: Callable[[Any], T], *, scrub: Scrubber, now: float, may_be_empty: bool = False
) -> T:
    """
    The data of a good answer, converted; raises the ``RequestError`` that any other answer stands for.

    The HTTP status decides. A 2xx is an error too if the status in its body is one.
    ``convert`` may raise ``Malformed``.
    """
    headers = CaseInsensitiveDict({name: scrub(value) for name, value in reply.headers.items()})
    where: dict[str, Any] = {"method": reply.method, "path": reply.path, "headers": headers}
    try:
        data, error = _open(reply, scrub, now, where, may_be_empty)
        if error is None:
            return convert(data)
    except RecordError as problem:
        if reply.method == "GET":
            raise
        # The write is done all the same, which a RecordError does not say.
        raise UnusableReply(str(problem), status=reply.status, **where) from None
    except parsing.Malformed as problem:
        raise UnusableReply(str(problem), status=reply.status, **where) from None
    raise error


def _open(
    reply: Reply, scrub: Scrubber, now: float, where: dict[str, Any], may_be_empty: bool
) -> tuple[Any, RequestError | None]:
    """
    The data in the envelope, or the error.

    The error is returned and not raised, for its traceback would hold the body with whatever it repeats.
    """
    if not 200 <= reply.status < 300:
        return None, _error(reply.status, _message(reply.body, scrub), now, where)
    if reply.status == 204 or (may_be_empty and not reply.body.strip()):
        return None, None
    document = parsing.load(reply.body)
    inner = parsing.status(document)
    if inner is not None and inner >= 400:
        return None, _error(inner, _message(reply.body, scrub), now, where)
    return parsing.data(document), None


def _message(body: bytes, scrub: Scrubber) -> str:
    """The words of an error in one line, without keys."""
    try:
        found = parsing.words(parsing.load(body))
    except parsing.Malformed:
        found = ""
    found = found or body.decode("utf-8", "replace").replace("\0", parsing.REPLACEMENT)
    line = scrub(" ".join(found.split()))
    return line if len(line) <= LONGEST_MESSAGE else f"{line[:LONGEST_MESSAGE]}…"


def _error(status: int, message: str, now: float, where: dict[str, Any]) -> RequestError:
    if status < 400:
        return UnusableReply("a redirect, which is never followed; is the URL right?", status=status, **where)
    message = message or "no explanation"
    if status in (400, 422) and SPEAKS_OF_EXISTING.search(message):
        return Conflict(message, status=status, **where)
    if status == 429 or status >= 500:
        failed = RateLimited if status == 429 else ServerError
        return failed(message, status=status, retry_after=retry_after(where["headers"], now), **where)
    return ERRORS.get(status, BadRequest)(message, status=status, **where)


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds to wait by the ``Retry-After`` header, a number or a date in GMT. None if there is none."""
    value = headers.get("Retry-After", "").strip()
    if re.fullmatch(r"[0-9]{1,18}", value):
        return min(float(value), LONGEST_WAIT)
    try:
        moment = parsedate_to_datetime(value).replace(tzinfo=timezone.utc)
    except (TypeError, ValueError, OverflowError, IndexError):
        return None
    return min(max(moment.timestamp() - now, 0.0), LONGEST_WAIT)
