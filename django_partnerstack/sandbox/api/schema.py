"""
Validates request bodies as PartnerStack does: by JSON schema, reporting only the first problem.

The only message known for certain is "'target_type' is a required property". The Python package jsonschema
has the same message, so all other messages are from that package.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from ..replies import Refusal

Schema = dict[str, Any]

EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "boolean": bool,
    "object": dict,
    "array": list,
    "null": type(None),
}


def text(maximum: int = 255, minimum: int = 0, *, null: bool = False, **more: Any) -> Schema:
    """The schema of a string, with its maximum and minimum length."""
    return {
        "type": ["string", "null"] if null else ["string"],
        "minLength": minimum,
        "maxLength": maximum,
        **more,
    }


def integer(minimum: int, maximum: int, *, null: bool = False) -> Schema:
    return {"type": ["integer", "null"] if null else ["integer"], "minimum": minimum, "maximum": maximum}


def nullable(kind: str, **more: Any) -> Schema:
    return {"type": [kind, "null"], **more}


INT32 = integer(-(2**31), 2**31 - 1, null=True)
META = nullable("object")
FIELD = {"type": ["object"], "properties": {"api_name": nullable("string"), "name": nullable("string")}}
CUSTOM_FIELDS = {"fields": nullable("array", items=FIELD), "field_data": META, "meta": META}


def json_object(body: bytes) -> dict[str, Any]:
    """The JSON object in a request body. Raises Refusal with 400 for anything else."""
    if not body:
        return {}
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        raise Refusal(400, "The request body is not valid JSON") from None
    if not isinstance(value, dict):
        raise Refusal(400, f"{value!r} is not of type 'object'")
    return value


def check(value: Any, schema: Schema, *, reject_unknown: bool) -> None:
    """Raise Refusal with 400 for the first problem of a body."""
    if reject_unknown and "properties" in schema:
        schema = {"additionalProperties": False, **schema}
    for problem in problems(value, schema):
        raise Refusal(400, problem)


def problems(value: Any, schema: Schema) -> Iterator[str]:
    types = schema.get("type", [])
    if types and not any(_is(value, name) for name in types):
        yield f"{value!r} is not of type {', '.join(map(repr, types))}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{value!r} is not one of {schema['enum']!r}"
    if isinstance(value, str):
        yield from _text_problems(value, schema)
    elif isinstance(value, int):
        yield from _number_problems(value, schema)
    elif isinstance(value, dict):
        yield from _object_problems(value, schema)
    elif isinstance(value, list):
        for item in value:
            yield from problems(item, schema.get("items", {}))


def _is(value: Any, name: str) -> bool:
    return isinstance(value, TYPES[name]) and (name == "boolean" or not isinstance(value, bool))


def _text_problems(value: str, schema: Schema) -> Iterator[str]:
    if len(value) < schema.get("minLength", 0):
        yield f"{value!r} is too short"
    if len(value) > schema.get("maxLength", len(value)):
        yield f"{value!r} is too long"
    if "format" in schema and not FORMATS[schema["format"]].fullmatch(value):
        yield f"{value!r} is not a {schema['format']!r}"


FORMATS = {"email": EMAIL, "date": re.compile(r"\d{4}-\d{2}-\d{2}"), "uri": re.compile(r"https?://\S+")}


def _number_problems(value: int, schema: Schema) -> Iterator[str]:
    if value < schema.get("minimum", value):
        yield f"{value!r} is less than the minimum of {schema['minimum']}"
    if value > schema.get("maximum", value):
        yield f"{value!r} is greater than the maximum of {schema['maximum']}"


def _object_problems(value: dict[str, Any], schema: Schema) -> Iterator[str]:
    for name in schema.get("required", ()):
        if name not in value:
            yield f"{name!r} is a required property"
    known = schema.get("properties", {})
    for name, item in value.items():
        yield from problems(name, schema.get("propertyNames", {}))
        yield from problems(item, known.get(name, schema.get("values", {})))
    unknown = [name for name in value if name not in known]
    if unknown and schema.get("additionalProperties") is False:
        yield f"Additional properties are not allowed ({unknown[0]!r} was unexpected)"
    if len(value) > schema.get("maxProperties", len(value)):
        yield f"{value!r} has too many properties"
