"""
What the client refuses before it sends anything: the limits that PartnerStack documents.

A check takes the name and the value of an argument and returns what to send. It raises ``InvalidArgument``,
and the message says what is allowed.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta, timezone
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from ..exceptions import InvalidArgument

Check = Callable[[str, Any], Any]

METHODS = ("GET", "POST", "PATCH", "PUT", "DELETE")
LONGEST_KEY = 255
#: In minor units; refunds are negative.
LARGEST_AMOUNT = 50_000_000_000
LARGEST_REWARD = 100_000_000
INT32 = 2**31 - 1
#: Of a transaction: the number of pairs, and the characters of a name and of a value.
MOST_METADATA = 25
LONGEST_METADATA_NAME = 30
LONGEST_METADATA_VALUE = 100

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
#: Half of a surrogate pair, which UTF-8 cannot encode.
SURROGATE = re.compile("[\ud800-\udfff]")


def or_null(check: Check) -> Check:
    """A check that also accepts None, which is sent as null."""
    return lambda name, value: None if value is None else check(name, value)


def text(longest: int = 255, shortest: int = 0) -> Check:
    def check(name: str, value: Any) -> str:
        if not isinstance(value, str):
            raise InvalidArgument(f"{name} must be a string.")
        if not shortest <= len(value) <= longest:
            raise InvalidArgument(
                f"{name} must have {shortest} to {longest} characters; it has {len(value)}."
            )
        return value

    return check


key = text(LONGEST_KEY, shortest=1)


def email(name: str, value: Any) -> str:
    if not EMAIL.fullmatch(text(255, shortest=4)(name, value)):
        raise InvalidArgument(f"{name} must be an e-mail address.")
    return str(value)


def integer(least: int, most: int) -> Check:
    """An int within bounds. Amounts are in minor units, so a float is always a mistake."""

    def check(name: str, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise InvalidArgument(f"{name} must be an int. Amounts are in minor units, such as cents.")
        if not least <= value <= most:
            raise InvalidArgument(f"{name} must be between {least} and {most}.")
        return value

    return check


transaction_amount = integer(-LARGEST_AMOUNT, LARGEST_AMOUNT)
reward_amount = integer(-LARGEST_REWARD, LARGEST_REWARD)
#: Deals and leads have a smaller range than transactions.
deal_amount = integer(-INT32 - 1, INT32)


def boolean(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise InvalidArgument(f"{name} must be True or False.")
    return value


def choice(*choices: str) -> Check:
    def check(name: str, value: Any) -> str:
        if not isinstance(value, str) or value not in choices:
            raise InvalidArgument(f"{name} must be one of: {', '.join(choices)}.")
        return value

    return check


def mapping(name: str, value: Any) -> dict[str, Any]:
    """A JSON object with any content."""
    if not isinstance(value, Mapping) or not all(isinstance(each, str) for each in value):
        raise InvalidArgument(f"{name} must be a dict whose keys are strings.")
    return dict(value)


def metadata(name: str, value: Any) -> dict[str, Any]:
    """The metadata of a transaction: a small JSON object without nested values."""
    pairs = mapping(name, value)
    if len(pairs) > MOST_METADATA:
        raise InvalidArgument(f"{name} must have at most {MOST_METADATA} pairs; it has {len(pairs)}.")
    for pair, content in pairs.items():
        shown = pair[:LONGEST_METADATA_NAME]
        if len(pair) > LONGEST_METADATA_NAME:
            raise InvalidArgument(f"{name}: {shown!r}… has more than {LONGEST_METADATA_NAME} characters.")
        if isinstance(content, (Mapping, list, tuple)):
            raise InvalidArgument(f"{name}: the value of {shown!r} must be a string or a number.")
        if len(str(content)) > LONGEST_METADATA_VALUE:
            raise InvalidArgument(
                f"{name}: the value of {shown!r} has more than {LONGEST_METADATA_VALUE} characters."
            )
    return pairs


def list_of(kind: type, plural: str) -> Check:
    def check(name: str, value: Any) -> list[Any]:
        if isinstance(value, str) or not isinstance(value, Sequence):
            raise InvalidArgument(f"{name} must be a list of {plural}.")
        if not all(isinstance(each, kind) for each in value):
            raise InvalidArgument(f"{name} must contain only {plural}.")
        return list(value)

    return check


strings = list_of(str, "strings")
#: Custom fields, as PartnerStack's own field objects.
field_objects = list_of(dict, "dicts")


def milliseconds(name: str, value: Any) -> int:
    """An aware datetime, as milliseconds since 1970."""
    if not isinstance(value, datetime) or value.utcoffset() is None:
        raise InvalidArgument(f"{name} must be a datetime with a time zone.")
    return (value - EPOCH) // timedelta(milliseconds=1)


def iso_date(name: str, value: Any) -> str:
    """A date, or a string like ``2025-12-31``."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    try:
        if isinstance(value, str) and len(value) == 10:
            return date.fromisoformat(value).isoformat()
    except ValueError:
        pass
    raise InvalidArgument(f"{name} must be a date, or a string like 2025-12-31.")


def filter_value(name: str, value: Any) -> str:
    """A filter of a list, as text: ``true``, ``false``, or milliseconds for a datetime."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return str(milliseconds(name, value))
    if isinstance(value, str):
        return _encodable(name, value)
    if isinstance(value, int):
        return str(value)
    raise InvalidArgument(f"{name} must be a string, an int, True or False, or a datetime.")


def path_segment(name: str, value: Any) -> str:
    """A key, encoded as one segment of a path: a slash in it does not divide it."""
    if value in (".", ".."):
        raise InvalidArgument(f"{name} cannot be {value!r}: that would change the path of the URL.")
    return quote(_encodable(name, key(name, value)), safe="")


def _encodable(name: str, value: str) -> str:
    if SURROGATE.search(value):
        raise InvalidArgument(f"{name} contains half of a surrogate pair, which UTF-8 cannot encode.")
    # A plain str, even if the value is of a subclass, such as a member of TextChoices.
    return str.__str__(value)


def path(value: Any) -> str:
    """An encoded path below the API's URL that cannot lead out of it."""
    if not isinstance(value, str) or not value.startswith("/"):
        raise InvalidArgument("The path must begin with a slash, as in '/customers'.")
    if not value.isascii() or any(character in value for character in "?#\\ \t\r\n"):
        raise InvalidArgument("The path must be URL-encoded. Filters belong in params.")
    if any(unquote(each) in (".", "..") for each in value.split("/")):
        raise InvalidArgument("The path must not contain '.' or '..' as a segment.")
    return value


def method(value: Any) -> str:
    upper = value.upper() if isinstance(value, str) else ""
    if upper not in METHODS:
        raise InvalidArgument(f"The method must be one of {', '.join(METHODS)}.")
    return upper


def url(name: str, value: Any) -> str:
    """A URL that keys may be sent to: https, or http on this machine. Without a slash at the end."""
    try:
        parts = urlsplit(value)
        _ = parts.port
    except (ValueError, TypeError, AttributeError):
        raise InvalidArgument(f"{name} is not a URL.") from None
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname or "")):
        raise InvalidArgument(f"{name} must begin with https://, because keys are sent to it.")
    if not parts.hostname or "@" in parts.netloc or parts.query or parts.fragment:
        raise InvalidArgument(
            f"{name} must be only a host and a path, as in https://api.partnerstack.com/api/v2."
        )
    return str(value).rstrip("/")


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, so that nobody else can read what is sent to it."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def seconds(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < float("inf"):
        raise InvalidArgument(f"{name} must be a number of seconds above 0.")
    return float(value)
