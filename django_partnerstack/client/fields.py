"""
The fields of a record: where their values are in PartnerStack's object, and how they are converted.

A record declares its fields as a Django model does::

    amount: int | None = fields.integer()
    group_key: str = fields.key("group.key", "group_key")

The arguments are names in the object, the preferred name first; the default is the name of the field itself.
``"group.key"`` is the key of a nested object. A function that takes the object can replace a name. Names
without a usable value are skipped.

``column=False``: the field has no column in the mirror model, because nobody filters or joins by it.

Every field but the key is optional. A value that is missing, null or of an unexpected type becomes ``""`` in
a text field and None in most others, because ``raw`` keeps what PartnerStack sent. ``RecordError`` is raised
only where a guess could do harm: for a key or currency that is too long, and for an integer that does not fit
a database column.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from functools import cache
from typing import Any

from ..exceptions import RecordError

#: Characters of a text column of the mirror models.
MAX_LENGTH = 255
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
MILLISECOND = timedelta(milliseconds=1)
#: Every database can store the times before this, and every time zone can show them.
END_OF_TIME_MS = 253_370_764_800_000  # the beginning of the year 9999
INTEGER = re.compile(r"-?[0-9]{1,19}", re.ASCII)
BOOLEANS = {"true": True, "false": False}

Item = dict[str, Any]
Source = str | Callable[[Item], Any]
#: Takes a value and its name in the object; the name is for error messages.
Convert = Callable[[Any, str], Any]


def key(*sources: Source, longest: int = MAX_LENGTH, required: bool = False, column: bool = True) -> Any:
    """A key, never shortened: a shortened key could be the key of another object."""

    def convert(value: Any, name: str) -> str:
        text = _as_text(value, name)
        if len(text) > longest:
            raise RecordError(f"{name} is longer than {longest} characters", field=name)
        return text

    return _field(convert, sources, dataclasses.MISSING if required else "", column)


def text(*sources: Source, column: bool = True) -> Any:
    """Text for display, shortened to fit its column if it has one."""
    if not column:
        return _field(_as_text, sources, "", column)
    return _field(lambda value, name: _as_text(value, name)[:MAX_LENGTH], sources, "")


def texts(*sources: Source) -> Any:
    """The texts in a list, as a tuple, without a column. An object in the list counts by its ``name``."""
    return _field(_as_texts, sources, (), column=False)


def mapping(*sources: Source) -> Any:
    """An object as PartnerStack sent it, without a column. Do not change it: it is a part of ``raw``."""
    metadata = {"convert": _as_mapping, "sources": sources, "column": False}
    return dataclasses.field(default_factory=dict, hash=False, metadata=metadata)


def integer(*sources: Source, column: bool = True) -> Any:
    """An integer; ``"12"`` and ``12.0`` are accepted."""
    return _field(_as_integer, sources, None, column)


def boolean(*sources: Source, default: bool | None = None) -> Any:
    """True or False. Version 1 of the API sends them as text."""
    return _field(_as_boolean, sources, default)


def timestamp(*sources: Source, column: bool = True) -> Any:
    """
    A datetime in UTC, from milliseconds since 1970.

    None outside of the years 1970 to 9998: some databases and time zones cannot represent such a time.
    """
    return _field(_as_datetime, sources, None, column)


def read(record: type, item: Item) -> dict[str, Any]:
    """The value of each field that a record class declares with this module, by the field's name."""
    return {name: reader(item) for name, reader in _readers(record)}


def has_column(field: dataclasses.Field[Any]) -> bool:
    """Whether the mirror model has a column for this field of a record."""
    return bool(field.metadata.get("column", True))


def _field(convert: Convert, sources: tuple[Source, ...], default: Any, column: bool = True) -> Any:
    metadata = {"convert": convert, "sources": sources, "column": column}
    return dataclasses.field(default=default, metadata=metadata)


@cache
def _readers(record: type) -> list[tuple[str, Callable[[Item], Any]]]:
    declared = [each for each in dataclasses.fields(record) if "convert" in each.metadata]
    return [(each.name, _reader(each)) for each in declared]


def _reader(field: dataclasses.Field[Any]) -> Callable[[Item], Any]:
    convert: Convert = field.metadata["convert"]
    empty = "" if field.default is dataclasses.MISSING else field.default
    factory = None if field.default_factory is dataclasses.MISSING else field.default_factory
    getters = [_getter(source, field.name) for source in field.metadata["sources"] or [field.name]]

    def read_first(item: Item) -> Any:
        for name, get in getters:
            value = convert(get(item), name)
            if value is not None and value != "":
                return value
        return factory() if factory else empty

    return read_first


def _getter(source: Source, field_name: str) -> tuple[str, Callable[[Item], Any]]:
    if callable(source):
        return field_name, source
    outer, _, inner = source.partition(".")
    if not inner:
        return source, lambda item: item.get(outer)
    return source, lambda item: nested.get(inner) if type(nested := item.get(outer)) is dict else None


def _as_text(value: Any, name: str) -> str:
    if type(value) is str:
        return value
    # Keys of version 1 may be numbers.
    return str(_in_range(value, name)) if type(value) is int else ""


def _as_texts(value: Any, name: str) -> tuple[str, ...]:
    if type(value) is not list:
        return ()
    names = (each.get("name") if type(each) is dict else each for each in value)
    return tuple(each for each in names if type(each) is str)


def _as_mapping(value: Any, name: str) -> Item | None:
    return value if type(value) is dict else None


def _as_integer(value: Any, name: str) -> int | None:
    if type(value) is str:
        value = int(value) if INTEGER.fullmatch(value) else None
    elif type(value) is float and value.is_integer():
        value = int(value)
    return _in_range(value, name) if type(value) is int else None


def _in_range(value: int, name: str) -> int:
    if not -(2**63) <= value < 2**63:
        raise RecordError(f"{name} is an integer of more than 64 bits", field=name)
    return value


def _as_boolean(value: Any, name: str) -> bool | None:
    if type(value) is str:
        return BOOLEANS.get(value.lower())
    return value if type(value) is bool else None


def _as_datetime(value: Any, name: str) -> datetime | None:
    if type(value) is str and INTEGER.fullmatch(value):
        value = int(value)
    if (type(value) is int or type(value) is float) and 0 <= value < END_OF_TIME_MS:
        return EPOCH + MILLISECOND * value
    return None
