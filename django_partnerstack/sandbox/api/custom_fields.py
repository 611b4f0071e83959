"""
Custom fields.

Bodies contain them as ``meta``, ``field_data`` or ``fields``; responses as ``mdata``, ``field_data`` and
``fields``, with ``meta`` always ``{}``. A value for a built-in field changes that field. A value for a field
that the account does not have is dropped without an error, as vendors have measured for conversions.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from ..behaviour.switches import Behaviour
from ..replies import Refusal
from ..storage.table import Row
from .call import Call

#: What PartnerStack calls fields that every account has.
LABELS = {
    "name": "Customer Name",
    "email": "Email",
    "company_name": "Company Name",
    "website": "Website",
    "phone": "Phone Number",
    "country_iso": "Country",
    "source_type": "Source Type",
}


def stored_values(call: Call, row: Row, *, built_in: tuple[str, ...] = (), form: tuple[str, ...] = ()) -> Row:
    """
    The changes to a row that the custom fields of a body contain.

    Values of ``built_in`` fields must be text and are stored in the row itself. ``form`` are fields that the
    resource has in addition to the account's custom fields.
    """
    body, known = call.body, {*built_in, *form, *call.behaviour.custom_fields}
    values = {**(body.get("field_data") or {}), **(body.get("meta") or {})}
    for item in body.get("fields") or ():
        values[item.get("api_name") or item.get("name")] = item.get("value")
    values = {name: value for name, value in values.items() if name in known}
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
        "name": LABELS.get(name, name.replace("_", " ").title()),
        "api_name": name,
        "description": None,
        "help_text": None,
        "position": position,
        "type": kind,
        "required": name in ("name", "email"),
        "options": {},
        "value": None,
        "read_only": False,
    }
