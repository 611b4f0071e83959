"""A record of PartnerStack's and a row of its mirror, one made from the other."""

from __future__ import annotations

import dataclasses
from datetime import datetime
from functools import cache
from operator import attrgetter
from typing import Any

#: Record fields whose column has another name: beside a row's own times these are PartnerStack's.
RENAMED = {"created_at": "remote_created_at", "updated_at": "remote_updated_at"}


@cache
def fields(record_class: type) -> tuple[str, ...]:
    """The fields of a record, in order."""
    return tuple(field.name for field in dataclasses.fields(record_class))


@cache
def columns(record_class: type) -> tuple[str, ...]:
    """The columns of the mirror that the fields of a record fill, in the same order."""
    return tuple(RENAMED.get(name, name) for name in fields(record_class))


@cache
def _values(record_class: type) -> attrgetter[tuple[Any, ...]]:
    return attrgetter(*fields(record_class))


def to_row(record: Any, *, mode: str, synced_at: datetime) -> dict[str, Any]:
    """The columns of a mirror row as this record has them: seen just now, so not missing."""
    record_class: type = type(record)
    row = dict(zip(columns(record_class), _values(record_class)(record), strict=True))
    row.update(mode=mode, missing_since=None, synced_at=synced_at)
    return row
