"""Which verb answers which method and path, under ``/api/v2``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from . import verbs
from .programme import RESOURCES
from .replies import Refusal
from .resource import Resource
from .world import Call

Handler = Callable[[Call], Any]


@dataclass(frozen=True)
class Route:
    """``parts`` are the segments of the path; one in braces stands for any key."""

    method: str
    parts: tuple[str, ...]
    handler: Handler
    message: str
    creates: bool = False

    def keys(self, parts: tuple[str, ...]) -> dict[str, str] | None:
        """The keys in a path, decoded, or None if the route does not fit. Slashes in keys come encoded."""
        if len(parts) != len(self.parts):
            return None
        keys = {}
        for pattern, part in zip(self.parts, parts, strict=True):
            if pattern[0] == "{":
                keys[pattern[1:-1]] = unquote(part)
            elif pattern != part:
                return None
        return keys


def route(method: str, path: str, handler: Handler, message: str, *, creates: bool = False) -> Route:
    return Route(method, tuple(path.strip("/").split("/")), handler, message, creates)


def _of(verb: Callable[[Call, Resource], Any], resource: Resource) -> Handler:
    return lambda call: verb(call, resource)


def _routes_of(resource: Resource) -> Iterator[Route]:
    path, name, noun = f"/api/v2/{resource.name}", resource.name.replace("_", " "), resource.noun
    yield route("GET", path, _of(verbs.list_objects, resource), f"{name.capitalize()} retrieved successfully")
    if resource.new:
        message = f"{noun} created successfully"
        yield route("POST", path, _of(verbs.create_object, resource), message, creates=True)
    if resource.name in READABLE:
        yield route("GET", path + "/{key}", _of(verbs.get_object, resource), f"{noun} retrieved successfully")
    if resource.changed:
        yield route(
            "PATCH", path + "/{key}", _of(verbs.update_object, resource), f"{noun} updated successfully"
        )
    if resource.name in REMOVABLE:
        yield route(
            "DELETE", path + "/{key}", _of(verbs.archive_object, resource), f"{noun} archived successfully"
        )


READABLE = {"partnerships", "customers", "deals", "leads", "webhooks"}
REMOVABLE = READABLE | {"transactions", "actions"}
ROUTES = [found for resource in RESOURCES.values() for found in _routes_of(resource)]


def find(routes: list[Route], method: str, path: str) -> tuple[Route, dict[str, str]]:
    """The route for a request and the keys in its path; raises Refusal with 404 or 405."""
    parts = tuple(path.strip("/").split("/"))
    fitting = [(item, keys) for item in routes if (keys := item.keys(parts)) is not None]
    for item, keys in fitting:
        if item.method == method:
            return item, keys
    raise Refusal(405 if fitting else 404, "Method not allowed" if fitting else "Not found")
