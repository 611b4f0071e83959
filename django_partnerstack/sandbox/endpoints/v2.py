"""The routes of the API ``/api/v2``, which follow from the declarations of the resources."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import Any

from ..api.call import Call
from ..api.operations import create_object, get_object, remove_object, update_object
from ..api.pagination import page
from ..api.resource import Resource
from ..http.routing import Route, route
from ..resources import RESOURCES

ROOT = "/api/v2"


def routes() -> Iterator[Route]:
    for resource in RESOURCES.values():
        yield from _routes_of(resource)


@cache
def _routes_of(resource: Resource) -> tuple[Route, ...]:
    return tuple(_declared_routes(resource))


def _object(handler: Callable[..., dict[str, Any]], resource: Resource) -> Callable[[Call], dict[str, Any]]:
    """A handler that returns one object, below the name of its resource while ``nested_data`` is on."""

    def handle(call: Call) -> dict[str, Any]:
        found = handler(call, resource=resource)
        return {resource.noun.lower().replace(" ", "_"): found} if call.behaviour.nested_data else found

    return handle


def _declared_routes(resource: Resource) -> Iterator[Route]:
    path, noun = f"{ROOT}/{resource.path}", resource.noun
    url = path + "/{key}"
    yield from resource.extra_routes
    yield route("GET", path, partial(page, resource=resource), f"{noun}s retrieved successfully")
    if resource.create:
        handler = _object(create_object, resource)
        yield route("POST", path, handler, f"{noun} created successfully", creates=True)
    if resource.readable:
        yield route("GET", url, _object(get_object, resource), f"{noun} retrieved successfully")
    if resource.update:
        yield route("PATCH", url, _object(update_object, resource), f"{noun} updated successfully")
    if resource.removable:
        yield route("DELETE", url, partial(remove_object, resource=resource), f"{noun} archived successfully")
