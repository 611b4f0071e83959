"""
What a response of PartnerStack means: the data in it, or an error.

Which error a status is, whether a retry helps and whether a write is in doubt is decided in
``exceptions.py``.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timezone
from email.utils import parsedate_to_datetime
from typing import Any, NoReturn, TypeVar

from requests.structures import CaseInsensitiveDict

from ..exceptions import (
    Conflict,
    RecordError,
    RequestError,
    RetryableReply,
    UnusableReply,
    error_for_status,
)

T = TypeVar("T")

#: Longer messages are cut: they are error pages of a proxy.
LONGEST_MESSAGE = 300
#: Characters of a body that are recorded, bytes that are searched for keys, characters of the longest key.
LONGEST_EXCERPT, SEARCHED, LONGEST_KEY = 4096, 16_384, 512
#: Seconds. A longer ``Retry-After`` is shortened to a day.
LONGEST_RETRY_AFTER = 86_400.0
#: The status of a duplicate is not documented, so the message of a 400 or 422 decides.
ALREADY_EXISTS = re.compile(
    r"\balready\b|\bduplicated?\b|\bunique\b|\btaken\b|^(?!no ).*(?<!not )(?<!n't )(?<!no longer )\bexists\b",
    re.IGNORECASE,
)
#: JSON of a text that PostgreSQL cannot store: an escaped NUL, or possibly half of a surrogate pair.
SUSPICIOUS_ESCAPE = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
UNSTORABLE = re.compile("[\0\ud800-\udfff]")
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


class Malformed(ValueError):
    """The body is not from PartnerStack's API. The message says why, without quoting the body."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole HTTP response with the method and path of its request."""

    method: str
    path: str
    status: int
    # Both may contain a key.
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


def parse_response(
    reply: Reply,
    convert: Callable[[Any], T],
    *,
    scrub: Callable[[str], str],
    now: float,
    may_be_empty: bool = False,
) -> T:
    """
    The data of a successful response, converted. Raises a ``RequestError`` for any other response.

    The HTTP status decides, and then the status in the body: a 2xx whose body says 404 is a ``NotFound``.
    ``convert`` may raise ``Malformed`` or ``RecordError``. ``scrub`` removes keys.
    ``now``: seconds since 1970.
    """
    headers = CaseInsensitiveDict({scrub(name): scrub(value) for name, value in reply.headers.items()})
    where: dict[str, Any] = {"method": reply.method, "path": reply.path, "headers": headers}
    try:
        data, error = _data_or_error(reply, scrub, now, where, may_be_empty)
        if error is None:
            return convert(data)
    except RecordError as problem:
        if reply.method == "GET":
            raise
        # A write was carried out although its response is unusable, and a RecordError is never in doubt.
        raise UnusableReply(str(problem), status=reply.status, **where) from None
    except Malformed as problem:
        raise UnusableReply(str(problem), status=reply.status, **where) from None
    raise error


def _data_or_error(
    reply: Reply, scrub: Callable[[str], str], now: float, where: dict[str, Any], may_be_empty: bool
) -> tuple[Any, RequestError | None]:
    # An error raised here would have the body, which may contain a key, in the variables of its traceback.
    status = reply.status
    if 200 <= status < 300:
        if status == 204 or (may_be_empty and not reply.body.strip()):
            return None, None
        document = load(reply.body)
        status = envelope_status(document) or status
        if status < 400:
            return envelope_data(document), None
    return None, _error(status, error_message(reply.body, scrub), now, where)


def _error(status: int, message: str, now: float, where: dict[str, Any]) -> RequestError:
    if status < 400:
        return UnusableReply("a redirect, which is never followed; is the URL right?", status=status, **where)
    already_exists = status in (400, 422) and ALREADY_EXISTS.search(message)
    kind = Conflict if already_exists else error_for_status(status)
    if issubclass(kind, RetryableReply):
        return kind(message, status=status, retry_after=retry_after(where["headers"], now), **where)
    return kind(message, status=status, **where)


def error_message(body: bytes, scrub: Callable[[str], str]) -> str:
    """What PartnerStack says about an error, in one line and without keys."""
    message = ""
    try:
        document = load(body)
        if isinstance(document, dict):
            texts = (document.get(name) for name in ("message", "error"))
            message = next((each for each in texts if isinstance(each, str) and each.strip()), "")
    except Malformed:
        pass
    message = message or body.decode("utf-8", "replace").replace("\0", REPLACEMENT)
    line = scrub(" ".join(message.split()))
    return f"{line[:LONGEST_MESSAGE]}…" if len(line) > LONGEST_MESSAGE else line or "no explanation"


def excerpt(body: bytes, scrub: Callable[[str], str]) -> str:
    """The beginning of a body as text, without keys."""
    text = scrub(body[:SEARCHED].decode("utf-8", "replace").replace("\0", REPLACEMENT))
    if len(body) > SEARCHED:
        text = text[:-LONGEST_KEY]  # It may end with one half of a key.
    return f"{text[:LONGEST_EXCERPT]}…" if len(text) > LONGEST_EXCERPT else text


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """
    Seconds to wait according to the ``Retry-After`` header, a number or a date in GMT. At most a day.

    None without such a header, or if its value is neither. ``now``: seconds since 1970.
    """
    value = headers.get("Retry-After", "").strip()
    if re.fullmatch(r"[0-9]{1,18}", value):
        return min(float(value), LONGEST_RETRY_AFTER)
    try:
        moment = parsedate_to_datetime(value).replace(tzinfo=timezone.utc)
    except (TypeError, ValueError, OverflowError, IndexError):
        return None
    return min(max(moment.timestamp() - now, 0.0), LONGEST_RETRY_AFTER)


def load(body: bytes) -> Any:
    """
    The JSON value of a body. Raises ``Malformed`` if there is none.

    Every database can store its texts and numbers: NUL, halves of surrogate pairs and bytes that are not
    UTF-8 become U+FFFD, and every number is finite.
    """
    if not body.strip():
        raise Malformed("the body is empty; is the URL right?")
    try:
        document = json.loads(
            body.decode("utf-8-sig", "replace").replace("\0", REPLACEMENT),
            parse_float=_finite,
            parse_constant=_refuse_constant,
        )
        return _storable(document) if SUSPICIOUS_ESCAPE.search(body) else document
    except RecursionError:
        raise Malformed("the JSON is nested too deep") from None
    except ValueError:
        raise Malformed("the body is not JSON; is the URL right?") from None


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise ValueError("a number too large")
    return number


def _refuse_constant(constant: str) -> NoReturn:
    raise ValueError("NaN and infinity are not JSON")


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return UNSTORABLE.sub(REPLACEMENT, value)
    if isinstance(value, list):
        return [_storable(each) for each in value]
    if isinstance(value, dict):
        return {_storable(name): _storable(each) for name, each in value.items()}
    return value


def envelope_data(document: Any) -> Any:
    """``data`` of the envelope (``rdata`` in version 1). None if the envelope has only a message."""
    if not isinstance(document, dict):
        raise Malformed("the body is not a JSON object")
    return document["data"] if "data" in document else document.get("rdata")


def envelope_status(document: Any) -> int | None:
    """The status in the envelope, which may be a number or text."""
    value = document.get("status") if isinstance(document, dict) else None
    if isinstance(value, str) and re.fullmatch("[1-9][0-9]{2}", value):
        return int(value)
    return value if type(value) is int else None
