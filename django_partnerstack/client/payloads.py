"""
The fields of a write, checked against the limits that PartnerStack documents.

A check takes the name and the value of a field and returns what to send, or raises ``InvalidArgument`` with
what to do.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from ..exceptions import InvalidArgument
from .arguments import LONGEST_KEY, milliseconds

Check = Callable[[str, Any], Any]

INT32 = 2**31 - 1
CURRENCY = re.compile(r"[A-Za-z]{3}")
EMAIL = re.compile(r"[^@\s]+@[^@\s]+")


class Unset:
    """The type of ``UNSET``: an argument that was not given, and is not sent. None is sent as null."""

    def __repr__(self) -> str:
        return "UNSET"


UNSET = Unset()


def body(checks: Mapping[str, Check], **fields: Any) -> dict[str, Any]:
    """The fields that were given, each as its check returns it."""
    return {name: checks[name](name, value) for name, value in fields.items() if not isinstance(value, Unset)}


def changes(checks: Mapping[str, Check], **fields: Any) -> dict[str, Any]:
    """As ``body``, for an update; one that changes nothing is refused."""
    if not (found := body(checks, **fields)):
        raise InvalidArgument("Name at least one field to change.")
    return found


def exactly_one(**fields: Any) -> str:
    """The name of the one field that is not None."""
    chosen = [name for name, value in fields.items() if value is not None]
    if len(chosen) != 1:
        raise InvalidArgument(f"Give exactly one of {', '.join(fields)}.")
    return chosen[0]


def or_null(check: Check) -> Check:
    """A check that lets None through, which is sent as null."""
    return lambda name, value: None if value is None else check(name, value)


def text(longest: int = 255, shortest: int = 0) -> Check:
    def check(name: str, value: Any) -> str:
        if not isinstance(value, str):
            raise InvalidArgument(f"{name} must be a text.")
        if not shortest <= len(value) <= longest:
            raise InvalidArgument(
                f"{name} must have {shortest} to {longest} characters; it has {len(value)}."
            )
        return value

    return check


#: Keys are never empty.
key = text(LONGEST_KEY, shortest=1)


def email(name: str, value: Any) -> str:
    if not EMAIL.fullmatch(text(255, shortest=4)(name, value)):
        raise InvalidArgument(f"{name} must be an e-mail address.")
    return str(value)


def whole(least: int, most: int) -> Check:
    """A whole number. Amounts are in minor units, so that a float is always a mistake."""

    def check(name: str, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise InvalidArgument(f"{name} must be a whole number; amounts are in minor units, as cents.")
        if not least <= value <= most:
            raise InvalidArgument(f"{name} must be between {least} and {most}.")
        return value

    return check


def currency(name: str, value: Any) -> str:
    """Three letters, sent in upper case. How amounts without cents (JPY) are read is not documented."""
    if not isinstance(value, str) or not CURRENCY.fullmatch(value):
        raise InvalidArgument(f"{name} must be three letters, as USD.")
    return value.upper()


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
    """An object, with anything in it."""
    if not isinstance(value, Mapping) or not all(isinstance(each, str) for each in value):
        raise InvalidArgument(f"{name} must be a dict with texts as names.")
    return dict(value)


def several(kind: type, words: str) -> Check:
    """A list of one kind of thing."""

    def check(name: str, value: Any) -> list[Any]:
        if isinstance(value, str) or not isinstance(value, Sequence):
            raise InvalidArgument(f"{name} must be a list of {words}.")
        if not all(isinstance(each, kind) for each in value):
            raise InvalidArgument(f"{name} must be a list of {words} only.")
        return list(value)

    return check


texts = several(str, "texts")
#: Custom fields, as PartnerStack's own field objects.
field_objects = several(dict, "dicts")


def moment(name: str, value: Any) -> int:
    """A datetime with a time zone, sent in milliseconds since 1970."""
    return milliseconds(name, value)


def day(name: str, value: Any) -> str:
    """A date, or a text as ``2025-12-31``."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    try:
        if isinstance(value, str) and len(value) == 10:
            return date.fromisoformat(value).isoformat()
    except ValueError:
        pass
    raise InvalidArgument(f"{name} must be a date, or a text as 2025-12-31.")
