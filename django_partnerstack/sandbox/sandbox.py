"""The sandbox itself: handles requests, in this process or over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import formatdate

from .dashboard import Dashboard
from .endpoints import control, page
from .endpoints.dispatch import answer, retry_after
from .endpoints.partner_links import record_click
from .http.server import Server
from .replies import Answer, Reply, json_reply, with_fault


class Sandbox(Dashboard):
    """
    A local PartnerStack, in memory. Safe to use from many threads.

    Each resource has an argument with the number of objects to create, such as ``customers=200``. They
    belong to ``mode``. Groups exist in both modes, as does at least one partner: ``gstest`` in test mode, in
    addition to ``partnerships``, and ``sandboxpartner`` in production mode unless ``partnerships`` creates
    others. The same arguments, with the same ``seed``, give the same objects.

    ``clock`` returns seconds since the epoch. Partner links lead to ``site``, or to another page on this
    machine or on one of the hosts in ``sites``.

    Raises TypeError for an unknown argument and ValueError for a wrong value.
    """

    def handle(self, method: str, target: str, headers: Mapping[str, str], body: bytes = b"") -> Reply:
        """
        Handle one request. ``target`` is the path and the query, as in the request line.

        Never sleeps: whoever sends the response waits for ``reply.delay`` seconds.
        """
        path, _, query = target.partition("?")
        if path == control.ROOT or path.startswith(control.ROOT + "/"):
            return control.answer(self, method, path, query, body)
        if path == page.PATH:
            return page.answer(self, method, query, headers, body)
        answered: Answer = (200, None, {})
        with self.lock:
            delay, fault = self.faults.take(method, path)
            if fault is None or not fault.prevents_effect:
                answered = answer(self, method, path, query, headers, body)
        reply = json_reply(*answered)
        if fault is not None:
            reply = with_fault(reply, fault)
            if fault.retry_after is not None:
                reply.headers |= retry_after(self, fault.retry_after)
        reply.headers.setdefault("Date", formatdate(self.now(), usegmt=True))
        reply.delay = delay
        return reply

    def serve(self, host: str = "127.0.0.1", port: int = 0) -> Server:
        """
        Serve over HTTP while in a ``with`` block, at ``server.url``. Port 0 uses a free port.

        Raises OSError if the port is in use.
        """
        return Server(self.handle, host, port, self.deliveries.run)

    def click(self, partner_key: str, destination: str | None = None, /, **sub_ids: str) -> str:
        """
        Click on a partner's link, as a visitor does; returns the click ID.

        Raises LookupError for an unknown partner, ValueError for a page that partner links may not lead to.
        """
        with self.lock:
            return record_click(self, partner_key, destination, sub_ids).xid
