"""Which verb answers which method and path, under ``/api/v2``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import unquote

from . import verbs
from .programme import RESOURCES
from .replies import Refusal
from .resource import Resource
from .resources import deals, form_templates, leads, partner_extras
from .resources.conversion import convert
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
    path, noun = f"/api/v2/{resource.path}", resource.noun
    yield route("GET", path, _of(verbs.list_objects, resource), f"{noun}s retrieved successfully")
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


def _deal_route(form: str, method: str, path: str, handler: Handler, message: str) -> Route:
    """A route that is there in one form of the path only; see ``Behaviour.deal_routes``."""

    def handle(call: Call) -> Any:
        if call.behaviour.deal_routes != form:
            raise Refusal(404, "Not found")
        return handler(call)

    return route(method, ("/api" if form == "unversioned" else "/api/v2") + path, handle, message)


def _special() -> Iterator[Route]:
    v2 = "/api/v2"
    for resource in (deals.DEALS, leads.LEADS):
        path = f"{v2}/{resource.name}/{{key}}/convert"
        yield route(
            "POST", path, _of(convert, resource), f"{resource.noun} converted successfully", creates=True
        )
    yield route(
        "GET", f"{v2}/deals/form-templates", form_templates.list_for_deals, "Form templates retrieved"
    )
    for_leads = partial(form_templates.list_for, "lead")
    yield route("GET", f"{v2}/leads/form-templates", for_leads, "Form templates retrieved")
    yield route("GET", f"{v2}/deals/{{key}}/files", deals.list_files, "Files retrieved successfully")
    for form in ("unversioned", "v2"):
        path = "/deals/{key}/assignment/{partnership_key}/{stack_key}"
        yield _deal_route(form, "POST", path, deals.assign, "Deal assigned successfully")
        yield _deal_route(
            form, "GET", "/deals/{key}/file/{file_key}", deals.get_file, "File retrieved successfully"
        )
    yield route("PATCH", f"{v2}/partnerships/{{key}}/tags", partner_extras.change_tags, "Tags updated")
    path = f"{v2}/partnerships/{{key}}/member"
    yield route("POST", path, partner_extras.add_member, "Member invited", creates=True)
    yield route(
        "GET", f"{v2}/links/partnership/{{key}}", partner_extras.list_links, "Links retrieved successfully"
    )


READABLE = {"partnerships", "customers", "deals", "leads", "webhooks"}
REMOVABLE = READABLE | {"transactions", "actions"}
ROUTES = [*_special(), *(found for resource in RESOURCES.values() for found in _routes_of(resource))]


def find(routes: list[Route], method: str, path: str) -> tuple[Route, dict[str, str]]:
    """The route for a request and the keys in its path; raises Refusal with 404 or 405."""
    parts = tuple(path.strip("/").split("/"))
    fitting = [(item, keys) for item in routes if (keys := item.keys(parts)) is not None]
    for item, keys in fitting:
        if item.method == method:
            return item, keys
    raise Refusal(405 if fitting else 404, "Method not allowed" if fitting else "Not found")
