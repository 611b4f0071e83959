"""Matches a request's method and path to what handles it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from ..replies import Refusal


@dataclass(frozen=True)
class Route:
    """A method and the segments of a path; a segment in braces matches any key."""

    method: str
    segments: tuple[str, ...]
    #: Takes the ``Call`` and returns the ``data`` of the response.
    handler: Callable[[Any], Any]
    message: str
    creates: bool = False

    def match(self, segments: tuple[str, ...]) -> dict[str, str] | None:
        """The decoded keys in a path, or None if the route does not match. Keys contain encoded slashes."""
        if len(segments) != len(self.segments):
            return None
        keys = {}
        for pattern, segment in zip(self.segments, segments, strict=True):
            if pattern[0] == "{":
                keys[pattern[1:-1]] = unquote(segment)
            elif pattern != segment:
                return None
        return keys


def route(
    method: str, path: str, handler: Callable[[Any], Any], message: str, *, creates: bool = False
) -> Route:
    """The route of a path such as ``/api/v2/customers/{key}``."""
    return Route(method, tuple(path.strip("/").split("/")), handler, message, creates)


def find(routes: Iterable[Route], method: str, path: str) -> tuple[Route, dict[str, str]]:
    """The route of a request and the keys in its path. Raises Refusal with 404 or 405."""
    segments = tuple(path.strip("/").split("/"))
    matches = [(item, keys) for item in routes if (keys := item.match(segments)) is not None]
    for item, keys in matches:
        if item.method == method:
            return item, keys
    raise Refusal(405, "Method not allowed") if matches else Refusal(404, "Not found")
