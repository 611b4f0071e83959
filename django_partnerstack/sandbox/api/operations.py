"""Operations on an object: each takes a call and returns the response's ``data``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..replies import Refusal
from ..storage.table import Row
from .call import Call
from .resource import Resource

Data = dict[str, Any]


def get_object(call: Call, resource: Resource) -> Data:
    names = resource.read_keys(call.behaviour)
    row = _readable(call, resource, names)
    if row is not None:
        return resource.show(call.db, row, call.behaviour)
    if call.behaviour.other_mode_readable:
        row = _find(call, resource, names, other_mode=True)
        if row is not None:
            return resource.show(call.other_db, row, call.behaviour)
    raise _not_found(call, resource)


def create_object(call: Call, resource: Resource) -> Data:
    assert resource.create is not None  # noqa: S101  only resources that declare it have the route
    call.check_body(resource.create_schema)
    existing = _existing(call, resource, call.body)
    if existing is not None:
        return resource.show(call.db, existing, call.behaviour)
    fields = resource.create(call)
    if fields is None:
        return {**call.body, "key": call.db.new_key(resource.key_prefix)}
    row = add(call, resource, fields)
    call.count_effect(f"{resource.name}.create", resource.natural_key_of(row))
    if resource.after_create:
        resource.after_create(call, row)
    return resource.show(call.db, row, call.behaviour)


def update_object(call: Call, resource: Resource) -> Data:
    assert resource.update is not None  # noqa: S101  only resources that declare it have the route
    row = writable(call, resource)
    if not call.behaviour.null_clears:
        call.body = {name: value for name, value in call.body.items() if value is not None}
    call.check_body(resource.update_schema)
    changes = resource.update(call, row)
    existing = _existing(call, resource, changes, but=row)
    if existing is not None:
        return resource.show(call.db, existing, call.behaviour)
    call.db[resource.name].change(row, {**changes, "updated_at": call.now})
    call.count_effect(f"{resource.name}.update", resource.natural_key_of(row))
    return resource.show(call.db, row, call.behaviour)


def remove_object(call: Call, resource: Resource) -> None:
    row = _find(call, resource, resource.keys_to_write(call.behaviour))
    if row is None:
        raise _not_found(call, resource)
    if row.get("archived"):
        if call.behaviour.second_delete == "404":
            raise _not_found(call, resource)
        return
    call.count_effect(f"{resource.name}.{resource.removable}", resource.natural_key_of(row))
    if resource.after_remove:
        resource.after_remove(call, row)
    table = call.db[resource.name]
    if resource.removable == "delete" and call.behaviour.deletes == "remove":
        table.retired_keys.add(resource.natural_key_of(row))
        table.remove(row)
    else:
        table.change(row, {"archived": True, "updated_at": call.now})


def add(call: Call, resource: Resource, fields: Row) -> Row:
    """Add an object to its table, with a key and timestamps unless the fields contain them."""
    row = {"created_at": call.now, "updated_at": call.now, **fields}
    row.setdefault("key", call.db.new_key(resource.key_prefix))
    if call.behaviour.read_lag:
        visible_at = call.now + round(call.behaviour.read_lag * 1000)
        row["visible_at"] = max(visible_at, row.get("visible_at", 0))
    return call.db[resource.name].add(row)


def writable(call: Call, resource: Resource) -> Row:
    """The object that a path identifies for a change. Raises Refusal with 404 if there is none."""
    row = _readable(call, resource, resource.keys_to_write(call.behaviour))
    if row is None or row.get("archived"):
        raise _not_found(call, resource)
    return row


def _not_found(call: Call, resource: Resource) -> Refusal:
    return Refusal(404, f"{resource.noun} '{call.keys['key']}' not found")


def _find(call: Call, resource: Resource, names: tuple[str, ...], *, other_mode: bool = False) -> Row | None:
    """The first object that has the key of the path in one of the fields."""
    table = (call.other_db if other_mode else call.db)[resource.name]
    found = (table.find(name, call.keys["key"]) for name in names)
    return next((row for row in found if row is not None), None)


def _readable(call: Call, resource: Resource, names: tuple[str, ...]) -> Row | None:
    """The object that a path identifies, if it can be read and its read lag is over."""
    row = _find(call, resource, names)
    if row is None or not call.is_visible(row):
        return None
    return row if call.behaviour.archived_readable or not row.get("archived") else None


def _existing(call: Call, resource: Resource, fields: Row, but: Row | None = None) -> Row | None:
    """
    The object to return if a key is in use by another than ``but`` and ``Behaviour.duplicates`` is 200.

    None if the key is free. Raises Refusal for a duplicate otherwise.
    """
    table = call.db[resource.name]
    for name in _unique_fields(call, resource):
        value = fields.get(name)
        if value is None or call.behaviour.duplicates == "accepted" or (but and but.get(name) == value):
            continue
        row = table.find(name, value)
        retired = value in table.retired_keys or (row is not None and row.get("archived"))
        if retired and call.behaviour.deleted_keys_reusable:
            continue
        if row is not None and call.behaviour.duplicates == "200":
            return row
        if row is not None or retired:
            status = int(call.behaviour.duplicates) if call.behaviour.duplicates != "200" else 409
            raise Refusal(status, f"{resource.noun} with {name} '{value}' already exists")
    return None


def _unique_fields(call: Call, resource: Resource) -> Iterator[str]:
    if resource.is_natural_key_unique(call.behaviour):
        yield resource.natural_key
    if resource.has_unique_email and call.behaviour.unique_emails:
        yield "email"
