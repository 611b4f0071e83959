from __future__ import annotations

from typing import TypeGuard
from urllib.parse import SplitResult, urlsplit

from ..client import validation


def is_url(value: object) -> TypeGuard[str]:
    """Whether it is text with http or https, a host and no blanks."""
    return isinstance(value, str) and not any(map(str.isspace, value)) and _split(value) is not None


def is_secure(url: str) -> bool:
    return url.lower().startswith("https://")


def is_loopback(url: str) -> bool:
    """Whether it points at this machine, so that nobody on the way can read it."""
    parts = _split(url)
    host = parts.hostname or "" if parts else ""
    return validation.is_loopback(host)


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  raises for a port that is none
    except ValueError:
        return None
    return parts if parts.scheme in {"http", "https"} and parts.hostname else None
