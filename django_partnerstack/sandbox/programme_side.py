"""
What happens at PartnerStack without this client: people work in the dashboard, other software calls the API.

Raises LookupError for an object that is not there, and ValueError for a resource, mode or field that is not.
"""

from __future__ import annotations

from typing import Any

from .collection import Row
from .programme import RESOURCES
from .resource import Resource
from .state import State
from .verbs import add
from .world import World

Fields = dict[str, Any]


def create(sandbox: State, name: str, mode: str, fields: Fields) -> Fields:
    with sandbox.lock:
        resource, world = _find(sandbox, name, mode)
        _check(resource, fields)
        call = sandbox.call(mode)
        number = len(world[name]) + len(world[name].gone)
        row = add(call, resource, {**resource.sample(world, number), **fields})
        return resource.render(world, row, sandbox.behaviour)


def change(sandbox: State, name: str, key: str, mode: str, fields: Fields) -> Fields:
    with sandbox.lock:
        resource, world = _find(sandbox, name, mode)
        _check(resource, fields)
        row = _row(resource, world, key)
        world[name].change(row, {"updated_at": sandbox.call(mode).now, **fields})
        return resource.render(world, row, sandbox.behaviour)


def remove(sandbox: State, name: str, key: str, mode: str) -> None:
    with sandbox.lock:
        resource, world = _find(sandbox, name, mode)
        world[name].remove(_row(resource, world, key))


def objects(sandbox: State, name: str, mode: str, include_archived: bool) -> list[Fields]:
    with sandbox.lock:
        resource, world = _find(sandbox, name, mode)
        rows = reversed(world[name].orders["created_at"])
        return [
            resource.render(world, row, sandbox.behaviour)
            for row in rows
            if include_archived or not row.get("archived")
        ]


def _find(sandbox: State, name: str, mode: str) -> tuple[Resource, World]:
    if name not in RESOURCES:
        raise ValueError(f"There is no resource {name!r}. Known: {', '.join(RESOURCES)}.")
    if mode not in sandbox.worlds:
        raise ValueError(f"mode must be test or production, not {mode!r}.")
    return RESOURCES[name], sandbox.worlds[mode]


def _check(resource: Resource, fields: Fields) -> None:
    known = resource.may_set()
    for name in fields:
        if name not in known:
            raise ValueError(f"{resource.name} have no {name!r} to set. Known: {', '.join(sorted(known))}.")


def _row(resource: Resource, world: World, key: str) -> Row:
    collection = world[resource.name]
    for name in collection.indexes:
        if row := collection.find(name, key):
            return row
    raise LookupError(f"There is no {resource.noun.lower()} {key!r} in {world.mode} mode.")
