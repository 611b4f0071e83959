"""
What is checked before anything is sent.

Each function returns the value as PartnerStack wants it, or raises ``InvalidArgument`` with what to do.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from ..exceptions import InvalidArgument

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
#: The most that PartnerStack gives in one page.
LARGEST_PAGE = 250
LONGEST_KEY = 255


def segment(name: str, key: str) -> str:
    """A key as one segment of a path; a slash in it does not divide it."""
    if not isinstance(key, str) or not key:
        raise InvalidArgument(f"{name} must be a text that is not empty.")
    if key in (".", ".."):
        raise InvalidArgument(f"{name} {key!r} cannot be sent: it means another address on the way.")
    if len(key) > LONGEST_KEY:
        raise InvalidArgument(f"{name} is longer than {LONGEST_KEY} characters.")
    if not _is_whole(key):
        raise InvalidArgument(f"{name} holds half a character and cannot be sent.")
    return quote(key, safe="")


def _is_whole(value: str) -> bool:
    """Whether no surrogate stands alone in it, which UTF-8 cannot carry."""
    return not re.search("[\ud800-\udfff]", value)


def plain_path(path: str) -> str:
    """A path below the API's URL, already encoded, which stays below it on the way."""
    if not isinstance(path, str) or not path.startswith("/"):
        raise InvalidArgument("The path must begin with a slash, as in '/customers'.")
    if not path.isascii() or any(character in path for character in "?#\\ \t\r\n"):
        raise InvalidArgument("The path must be URL-encoded, and filters go into params.")
    if any(unquote(each) in (".", "..") for each in path.split("/")):
        raise InvalidArgument("The path must not hold '.' or '..' as a segment.")
    return path


def url(name: str, value: str) -> str:
    """An address that a key may be sent to: https, or http on this machine; without a slash at its end."""
    try:
        parts = urlsplit(value)
        _ = parts.port
    except (ValueError, TypeError, AttributeError):
        raise InvalidArgument(f"{name} is not a URL.") from None
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname or "")):
        raise InvalidArgument(f"{name} must begin with https://, since keys are sent there.")
    if not parts.hostname or "@" in parts.netloc or parts.query or parts.fragment:
        raise InvalidArgument(
            f"{name} must be a host and a path only, as in https://api.partnerstack.com/api/v2."
        )
    return value.rstrip("/")


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, so that nobody on the way can read what is sent there."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def seconds(name: str, value: float) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < float("inf"):
        raise InvalidArgument(f"{name} must be a number of seconds above 0.")
    return float(value)


def query(filters: Mapping[str, Any]) -> list[tuple[str, str]]:
    """
    Filters as PartnerStack reads them.

    Moments become milliseconds since 1970, True and False ``true`` and ``false``; a list gives its name
    once per value; what is None is left out.
    """
    pairs: list[tuple[str, str]] = []
    for name, value in filters.items():
        values = value if isinstance(value, (list, tuple)) else [value]
        pairs += [(name, _filter_text(name, each)) for each in values if each is not None]
    return pairs


def _filter_text(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return str(milliseconds(name, value))
    if isinstance(value, str):
        if not _is_whole(value):
            raise InvalidArgument(f"{name} holds half a character and cannot be sent.")
        return str.__str__(value)
    if isinstance(value, int):
        return str(value)
    raise InvalidArgument(f"{name} must be a text, a whole number, True or False, or a datetime.")


def milliseconds(name: str, value: datetime) -> int:
    """Milliseconds since 1970; refuses a datetime without a time zone."""
    if not isinstance(value, datetime) or value.tzinfo is None or value.utcoffset() is None:
        raise InvalidArgument(f"{name} must be a datetime with a time zone.")
    return (value - EPOCH) // timedelta(milliseconds=1)


def list_query(limit: int, starting_after: str | None, filters: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The query of one page. ``limit`` is moved to between 1 and 250."""
    if isinstance(limit, bool) or not isinstance(limit, int):
        raise InvalidArgument("limit must be a whole number.")
    if starting_after is not None and filters.get("ending_before") is not None:
        raise InvalidArgument("Give starting_after or ending_before, not both.")
    size = min(max(limit, 1), LARGEST_PAGE)
    return query({"limit": size, "starting_after": starting_after, **filters})
