"""
One value of an object from PartnerStack, made fit for a column.

What is missing or null is ``""`` for text and None for the rest, and so is a value of a type that makes no
sense there: every field but the key is optional, and ``raw`` keeps what came. An error is raised only where
a guess could do harm: a key or currency that does not fit, or a whole number that no column holds.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import Any

from ..exceptions import RecordError

LONGEST = 255
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
MILLISECOND = timedelta(milliseconds=1)
#: Moments up to here fit every database, and every time zone once there.
LAST_MS = 253_370_764_800_000  # the beginning of the year 9999
WHOLE_NUMBER = re.compile(r"-?[0-9]{1,19}", re.ASCII)
BOOLEANS = {"true": True, "false": False}


def key(item: dict[str, Any], name: str, longest: int = LONGEST) -> str:
    """A key, whole or not at all: one that was cut would be another object's."""
    value = item.get(name)
    if type(value) is not str:
        value = _as_text(value, name)
    if len(value) > longest:
        raise RecordError(f"{name} is longer than {longest} characters", field=name)
    return value


def text(item: dict[str, Any], name: str) -> str:
    """Text to read, cut where the column ends."""
    value = item.get(name)
    if type(value) is not str:
        value = _as_text(value, name)
    return value[:LONGEST]


def _as_text(value: Any, name: str) -> str:
    # Keys of version 1 may be numbers.
    return str(_in_range(value, name)) if type(value) is int else ""


def integer(item: dict[str, Any], name: str) -> int | None:
    """A whole number; also one that came as ``"12"`` or ``12.0``."""
    value = item.get(name)
    if value is None:
        return None
    if type(value) is str:
        value = int(value) if WHOLE_NUMBER.fullmatch(value) else None
    elif type(value) is float and value.is_integer():
        value = int(value)
    return _in_range(value, name) if type(value) is int else None


def _in_range(value: int, name: str) -> int:
    if not -(2**63) <= value < 2**63:
        raise RecordError(f"{name} is a number of more than 64 bits", field=name)
    return value


def flag(item: dict[str, Any], name: str) -> bool | None:
    """True or false; version 1 sends them as text."""
    value = item.get(name)
    if type(value) is str:
        return BOOLEANS.get(value.lower())
    return value if type(value) is bool else None


def archived(item: dict[str, Any]) -> bool:
    """Whether the object is archived. Partner-side objects call it ``is_archived``."""
    return bool(flag(item, "archived" if "archived" in item else "is_archived"))


def moment(item: dict[str, Any], name: str) -> datetime | None:
    """
    A time in UTC, from milliseconds since 1970.

    None outside of the years 1970 to 9998, which no database and time zone could hold for sure.
    """
    value = item.get(name)
    if type(value) is str and WHOLE_NUMBER.fullmatch(value):
        value = int(value)
    if (type(value) is int or type(value) is float) and 0 <= value < LAST_MS:
        return EPOCH + MILLISECOND * value
    return None


def nested(item: dict[str, Any], name: str) -> dict[str, Any]:
    """An object within the object; empty if there is none."""
    value = item.get(name)
    return value if type(value) is dict else {}
