"""A server on the loopback interface whose connections a test controls byte by byte."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any


class Server:
    """Calls ``handle(connection)`` in a thread for each connection, and records the requests."""

    def __init__(self, handle: Callable[[Connection], None]) -> None:
        self._handle = handle
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads: list[threading.Thread] = []
        self.connections: list[Connection] = []
        self.requests: list[bytes] = []
        self.stopping = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Server:
        self._start(self._accept)
        return self

    def __exit__(self, *error: object) -> None:
        self.stopping.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._threads[0].join(5)  # No connection is accepted after this.
        for connection in self.connections:
            # Ends reads and writes. Only the connection's own thread closes it, never during a read.
            with suppress(OSError):
                connection.sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)

    def _start(self, target: Callable[..., None], *args: Any) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            connection = Connection(self, sock)
            self.connections.append(connection)
            self._start(self._serve, connection)

    def _serve(self, connection: Connection) -> None:
        try:
            self._handle(connection)
        except OSError:
            pass
        finally:
            connection.close()


class Connection:
    def __init__(self, server: Server, sock: socket.socket) -> None:
        self.server = server
        self.sock = sock
        self._file = sock.makefile("rb")

    def read_request(self) -> bytes:
        """The next request with its body. ``b""`` if the client has closed the connection."""
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            if not (line := self._file.readline()):
                return b""
            head += line
        lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        request = head + self._file.read(int(lengths[0].split(b":")[1]) if lengths else 0)
        self.server.requests.append(request)
        return request

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def drip(self, data: bytes, pause: float = 0.02) -> None:
        """Send one byte at a time, each well within a read time-out."""
        for index in range(len(data)):
            self.send(data[index : index + 1])
            if self.server.stopping.wait(pause):
                return

    def reset(self) -> None:
        """Close the connection so that the client sees "connection reset by peer"."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        self.close()

    def close(self) -> None:
        self._file.close()
        self.sock.close()


def reply(data: Any = None, *, body: bytes | None = None, status: str = "200 OK", **headers: str) -> bytes:
    """The bytes of a response. The body is PartnerStack's envelope unless ``body`` is given."""
    if body is None:
        body = json.dumps({"data": data, "message": "done", "status": 200}).encode()
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def replying(*replies: bytes) -> Callable[[Connection], None]:
    """Send these responses on each connection, one for each request, then close it."""

    def handle(connection: Connection) -> None:
        for data in replies:
            if not connection.read_request():
                return
            connection.send(data)

    return handle
