"""Serves the sandbox over HTTP."""

from __future__ import annotations

import os
import socket
import struct
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

from ..behaviour.faults import DRIP_BYTES
from ..replies import Reply, json_reply

if TYPE_CHECKING:
    from types import TracebackType

#: The server refuses larger request bodies. In bytes.
LARGEST_BODY = 4 * 1024 * 1024

#: Takes a method, a target, headers and a body.
Handle = Callable[[str, str, Mapping[str, str], bytes], Reply]


class Server:
    """
    A server that runs while in a ``with`` block, with a thread for each connection.

    Creating it binds the port. Raises OSError if the port is in use.
    """

    def __init__(
        self, handle: Handle, host: str, port: int, background: Callable[[Event], None] | None = None
    ) -> None:
        self._http = _Http((host, port), _Handler)
        self._http.handle = handle
        #: Runs while the server does, until the event is set.
        self._background = Thread(target=background, args=[self._http.closing]) if background else None
        self._thread = Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        name = f"[{host}]" if ":" in host else host
        #: For example ``http://127.0.0.1:8765``; the API is below it at ``/api/v2`` and ``/v1``.
        self.url = f"http://{name}:{self._http.server_address[1]}"

    def __enter__(self) -> Server:
        self._thread.start()
        if self._background is not None:
            self._background.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.closing.set()
        self._http.shutdown()
        self._thread.join()
        if self._background is not None:
            self._background.join()
        self._http.close_connections()
        self._http.server_close()


class _Http(ThreadingHTTPServer):
    daemon_threads = False  # closing waits for every connection to end
    request_queue_size = 128
    handle: Handle

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        self.closing = Event()
        self._open: set[Any] = set()
        super().__init__(address, handler)

    def server_bind(self) -> None:
        # HTTPServer would look up its host name here, which can take seconds.
        TCPServer.server_bind(self)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def close_connections(self) -> None:
        """Close the connections that clients keep open."""
        for request in list(self._open):
            with suppress(OSError):
                request.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Do not report a client that closed its connection."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Http

    def answer(self) -> None:
        body = self._body()
        if body is None:
            self.close_connection = True
            return
        reply = self.server.handle(self.command, self.path, dict(self.headers), body)
        if reply.delay:
            self.server.closing.wait(reply.delay)
        kind = reply.fault.kind if reply.fault else ""
        getattr(self, f"_send_{kind}", self._send)(reply)

    do_GET = do_HEAD = do_OPTIONS = do_POST = do_PATCH = do_PUT = do_DELETE = answer

    def _body(self) -> bytes | None:
        """The whole body of the request, or None if it is refused or incomplete."""
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not length.isdecimal():
            self._send(json_reply(411, {"message": "Content-Length is required", "status": 411}))
            return None
        if int(length) > LARGEST_BODY:
            self._send(json_reply(413, {"message": "The request body is too large", "status": 413}))
            return None
        body = self.rfile.read(int(length))
        return body if len(body) == int(length) else None

    def _head(self, reply: Reply) -> bytes:
        phrase = HTTPStatus(reply.status).phrase if reply.status in set(HTTPStatus) else ""
        headers = {"Date": self.date_time_string(), **reply.headers, "Content-Length": str(len(reply.body))}
        lines = [
            f"HTTP/1.1 {reply.status} {phrase}",
            *(f"{name}: {value}" for name, value in headers.items()),
        ]
        return "\r\n".join([*lines, "\r\n"]).encode("latin-1")

    def _content(self, reply: Reply) -> bytes:
        return b"" if self.command == "HEAD" else reply.body

    def _send(self, reply: Reply) -> None:
        self.wfile.write(self._head(reply) + self._content(reply))

    def _send_lost(self, reply: Reply) -> None:
        self.server.closing.wait(reply.fault.seconds if reply.fault else 0)
        self.close_connection = True

    def _send_reset(self, reply: Reply) -> None:
        # Closing a socket with a linger time of 0 sends RST instead of FIN.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(self.connection.detach())
        self.close_connection = True

    def _send_truncated(self, reply: Reply) -> None:
        self.wfile.write(self._head(reply) + self._content(reply)[: len(reply.body) // 2])
        self.close_connection = True

    def _send_drip(self, reply: Reply) -> None:
        self.wfile.write(self._head(reply))
        content = self._content(reply)
        for start in range(0, len(content), DRIP_BYTES):
            self.server.closing.wait(reply.fault.seconds if reply.fault else 0)
            self.wfile.write(content[start : start + DRIP_BYTES])

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing: paths may contain a public key."""
