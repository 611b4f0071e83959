"""What can be done with a resource: each verb takes a call and returns the ``data`` of the answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .collection import Row
from .paging import page
from .replies import Refusal
from .resource import Resource
from .schema import check
from .world import Call

Data = dict[str, Any]


def list_objects(call: Call, resource: Resource) -> Data:
    return page(call, resource)


def get_object(call: Call, resource: Resource) -> Data:
    names = resource.read_by(call.behaviour)
    row = _named(call, resource, names)
    if row is not None:
        return resource.render(call.world, row, call.behaviour)
    if call.behaviour.other_mode_readable:
        row = _first(call, resource, names, other=True)
        if row is not None:
            return resource.render(call.other_world, row, call.behaviour)
    raise not_found(call, resource)


def create_object(call: Call, resource: Resource) -> Data:
    assert resource.new is not None  # noqa: S101  a route without it is a mistake of this package
    check(call.body, resource.creating, reject_unknown=call.behaviour.unknown_fields == "reject")
    existing = _taken(call, resource)
    if existing is not None:
        return resource.render(call.world, existing, call.behaviour)
    fields = resource.new(call)
    if fields is None:
        return {**call.body, "key": call.world.new_key(resource.prefix)}
    row = add(call, resource, fields)
    call.took_effect(f"{resource.name}.create", resource.natural_key(row))
    if resource.after_create:
        resource.after_create(call, row)
    return resource.render(call.world, row, call.behaviour)


def update_object(call: Call, resource: Resource) -> Data:
    assert resource.changed is not None  # noqa: S101
    row = writable(call, resource)
    if not call.behaviour.null_clears:
        call.body = {name: value for name, value in call.body.items() if value is not None}
    check(call.body, resource.updating, reject_unknown=call.behaviour.unknown_fields == "reject")
    changes = resource.changed(call, row)
    call.world[resource.name].change(row, {**changes, "updated_at": call.now})
    call.took_effect(f"{resource.name}.update", resource.natural_key(row))
    return resource.render(call.world, row, call.behaviour)


def archive_object(call: Call, resource: Resource) -> None:
    row = _first(call, resource, resource.write_by(call.behaviour))
    if row is None:
        raise not_found(call, resource)
    if row.get("archived"):
        if call.behaviour.second_delete == "404":
            raise not_found(call, resource)
        return
    verb = "delete" if resource.deletable else "archive"
    call.took_effect(f"{resource.name}.{verb}", resource.natural_key(row))
    if resource.after_remove:
        resource.after_remove(call, row)
    collection = call.world[resource.name]
    if resource.deletable and call.behaviour.deletes == "remove":
        collection.burnt.add(resource.natural_key(row))
        collection.remove(row)
    else:
        collection.change(row, {"archived": True, "updated_at": call.now})


def add(call: Call, resource: Resource, fields: Row) -> Row:
    """Put a new object among the others, with a key and timestamps where it has none."""
    row = {"created_at": call.now, "updated_at": call.now, **fields}
    row.setdefault("key", call.world.new_key(resource.prefix))
    if call.behaviour.read_lag:
        visible_at = call.now + round(call.behaviour.read_lag * 1000)
        row["visible_at"] = max(visible_at, row.get("visible_at", 0))
    if resource.on_add:
        resource.on_add(call.world, row)
    return call.world[resource.name].add(row)


def writable(call: Call, resource: Resource) -> Row:
    """The object that a path names for a change; 404 if there is none."""
    row = _named(call, resource, resource.write_by(call.behaviour))
    if row is None or row.get("archived"):
        raise not_found(call, resource)
    return row


def not_found(call: Call, resource: Resource) -> Refusal:
    return Refusal(404, f"{resource.noun} '{call.keys['key']}' not found")


def _first(call: Call, resource: Resource, names: tuple[str, ...], *, other: bool = False) -> Row | None:
    collection = (call.other_world if other else call.world)[resource.name]
    found = (collection.find(name, call.keys["key"]) for name in names)
    return next((row for row in found if row is not None), None)


def _named(call: Call, resource: Resource, names: tuple[str, ...]) -> Row | None:
    """The object that a path names, if it can be read by now and at all."""
    row = _first(call, resource, names)
    if row is None or not call.is_visible(row):
        return None
    return row if call.behaviour.archived_readable or not row.get("archived") else None


def _taken(call: Call, resource: Resource) -> Row | None:
    """
    The object to give back instead of a new one, if the key is taken and duplicates are answered so.

    Raises Refusal if they are refused; None if the way is free.
    """
    collection = call.world[resource.name]
    for name in _unique_fields(call, resource):
        value = call.body.get(name)
        if value is None or call.behaviour.duplicates == "accepted":
            continue
        row = collection.find(name, value)
        burnt = value in collection.burnt or (row is not None and row.get("archived"))
        if burnt and call.behaviour.deleted_keys_reusable:
            continue
        if row is not None and call.behaviour.duplicates == "200":
            return row
        if row is not None or burnt:
            status = int(call.behaviour.duplicates) if call.behaviour.duplicates != "200" else 409
            raise Refusal(status, f"{resource.noun} with {name} '{value}' already exists")
    return None


def _unique_fields(call: Call, resource: Resource) -> Iterator[str]:
    if resource.natural_is_unique(call.behaviour):
        yield resource.natural
    if resource.has_unique_email and call.behaviour.unique_emails:
        yield "email"
