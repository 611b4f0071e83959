"""
Custom data: written as ``meta``, ``field_data`` or ``fields``, read as ``mdata``, ``field_data``, ``fields``.

``meta`` itself always comes back as ``{}``. A value for a built-in field changes that field.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from .behaviour import Behaviour
from .collection import Row
from .replies import Refusal


def taken_from(body: dict[str, Any], row: Row, built_in: tuple[str, ...] = ()) -> Row:
    """The stored fields that the custom data of a request's body leads to; built-in ones must be text."""
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


def shown(row: Row, behaviour: Behaviour, built_in: dict[str, str] | None = None) -> dict[str, Any]:
    """The part of an object that shows custom data; ``built_in`` maps fields it always has to their types."""
    data = row.get("mdata") or {}
    values = {name: (row.get(name) or data.get(name), kind) for name, kind in (built_in or {}).items()}
    values |= {name: (value, "input") for name, value in data.items() if name not in values}
    return {
        "meta": {},
        behaviour.mdata_name: data,
        "field_data": data,
        "fields": [
            form_field(position, name, value, kind)
            for position, (name, (value, kind)) in enumerate(values.items())
        ],
    }


def form_field(position: int, name: str, value: Any, kind: str) -> dict[str, Any]:
    """A field of a form, as it is shown with its value."""
    return {**_empty_field(position, name, kind), "value": value}


@lru_cache(maxsize=1024)
def _empty_field(position: int, name: str, kind: str) -> dict[str, Any]:
    # Kept, since a page of customers shows some 1,750 of them.
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
