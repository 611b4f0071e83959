"""The headers of a request."""

from __future__ import annotations

from collections.abc import Mapping


def header(headers: Mapping[str, str], name: str) -> str:
    """The value of a header, whose name may be in any case; empty if it is not there."""
    return next((value for given, value in headers.items() if given.lower() == name.lower()), "")
