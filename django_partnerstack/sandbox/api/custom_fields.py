"""
Custom fields.

Bodies contain them as ``meta``, ``field_data`` or ``fields``; responses as ``mdata``, ``field_data`` and
``fields``, with ``meta`` always ``{}``. A value for a built-in field changes that field.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from ..behaviour.switches import Behaviour
from ..replies import Refusal
from ..storage.table import Row


def stored_values(body: dict[str, Any], row: Row, built_in: tuple[str, ...] = ()) -> Row:
    """The changes to a row that a body's custom fields contain; values of built-in fields must be text."""
    values = {**(body.get("field_data") or {}), **(body.get("meta") or {})}
    for item in body.get("fields") or ():
        name = item.get("api_name") or item.get("name")
        if name:
            values[name] = item.get("value")
    changes = {name: values.pop(name) for name in built_in if name in values}
    for value in changes.values():
        if not isinstance(value, (str, type(None))):
            raise Refusal(400, f"{value!r} is not of type 'string'")
    if values:
        changes["mdata"] = {**(row.get("mdata") or {}), **values}
    return changes


def render_custom_fields(
    row: Row, behaviour: Behaviour, built_in: dict[str, str] | None = None
) -> dict[str, Any]:
    """The custom fields of an object; ``built_in`` maps the names of fields that it always has to types."""
    data = row.get("mdata") or {}
    values = {name: (row.get(name) or data.get(name), kind) for name, kind in (built_in or {}).items()}
    values |= {name: (value, "input") for name, value in data.items() if name not in values}
    return {
        "meta": {},
        behaviour.mdata_name: data,
        "field_data": data,
        "fields": [
            {**_empty_field(position, name, kind), "value": value}
            for position, (name, (value, kind)) in enumerate(values.items())
        ],
    }


@lru_cache(maxsize=1024)
def _empty_field(position: int, name: str, kind: str) -> dict[str, Any]:
    # Cached because a page of customers contains about 1,750 of them.
    return {
        "name": name.replace("_", " ").capitalize(),
        "api_name": name,
        "description": None,
        "help_text": None,
        "position": position,
        "type": kind,
        "required": False,
        "options": {},
        "value": None,
        "read_only": False,
    }
