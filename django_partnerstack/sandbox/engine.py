"""The sandbox itself: takes requests, gives replies, and can be changed behind the client's back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import control, links, programme_side
from .answering import answer, retry_after
from .faults import spoil
from .replies import Answer, Reply, json_reply
from .server import Server
from .state import State


class Sandbox(State):
    """
    A local PartnerStack, in memory.

    The numbers say how many objects of the ``mode`` it begins with; the other begins with its groups and one
    partner. In test mode ``gstest`` is always there, on top of ``partnerships``; in production mode there is
    ``sandboxpartner`` if no other was asked for. The same arguments give the same objects. ``clock`` gives
    seconds since the epoch. Partner links lead to ``site``, or to another page on this machine or on one of
    the hosts in ``sites``.

    Safe to use from many threads. What a reply costs in waiting is in the reply, for whoever carries it:
    nothing here sleeps.
    """

    def handle(self, method: str, target: str, headers: Mapping[str, str], body: bytes = b"") -> Reply:
        """Answer one request. ``target`` is the path with its query, as it stands in the request line."""
        path, _, query = target.partition("?")
        if path == control.ROOT or path.startswith(control.ROOT + "/"):
            return control.answer(self, method, path, query, body)
        answered: Answer = (200, None, {})
        with self.lock:
            delay, fault = self.faults.take(method, path)
            if fault is None or not fault.prevents:
                answered = answer(self, method, path, query, headers, body)
        reply = json_reply(*answered)
        if fault is not None:
            reply = spoil(reply, fault)
            if fault.retry_after is not None:
                reply.headers |= retry_after(self, fault.retry_after)
        reply.delay = delay
        return reply

    def serve(self, host: str = "127.0.0.1", port: int = 0) -> Server:
        """
        Answer over HTTP while in a ``with`` block; ``server.url`` says where. Port 0 takes a free one.

        Raises OSError if the port is taken.
        """
        return Server(self.handle, host, port)

    def click(self, partner_key: str, destination: str | None = None, /, **sub_ids: str) -> str:
        """
        Click on a partner's link, as a visitor would; returns the click's id.

        Raises LookupError for an unknown partner, ValueError for a page that links may not lead to.
        """
        with self.lock:
            return links.record(self, partner_key, destination, sub_ids).xid

    def change(self, resource: str, key: str, /, *, mode: str | None = None, **fields: Any) -> dict[str, Any]:
        """Change an object behind the client's back, as a person in the dashboard would; returns it."""
        return programme_side.change(self, resource, key, mode or self.mode, fields)

    def create(self, resource: str, /, *, mode: str | None = None, **fields: Any) -> dict[str, Any]:
        """Add an object behind the client's back; what is not given is made up. Returns it."""
        return programme_side.create(self, resource, mode or self.mode, fields)

    def remove(self, resource: str, key: str, /, *, mode: str | None = None) -> None:
        """Let an object vanish, as if it had never been."""
        programme_side.remove(self, resource, key, mode or self.mode)

    def objects(
        self, resource: str, mode: str | None = None, *, include_archived: bool = False
    ) -> list[dict[str, Any]]:
        """All objects of a resource as the API shows them, newest first."""
        return programme_side.objects(self, resource, mode or self.mode, include_archived)
