"""
A session whose requests and responses end at a deadline.

A read time-out limits only the wait for the next bytes, and a server that sends a byte a minute never exceeds
it. So each read from the socket also checks how much of the deadline is left.

Each write checks it as well, after the connection is open: a process that was stopped for a while must not
send what another process has taken over meanwhile.
"""

from __future__ import annotations

import http.client
import io
from collections.abc import Callable
from contextvars import ContextVar
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import BaseAdapter, HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from ..exceptions import NetworkRefused

#: Threads that can each keep a connection open.
POOL_SIZE = 16

#: How many seconds are left for the request of this thread. The transport sets it.
seconds_left: ContextVar[Callable[[], float] | None] = ContextVar("seconds_left", default=None)


#: Takes the URL of a request, and returns the adapter that carries it out instead of the network, or None for
#: the network. Set by tests, and for all threads of the process.
substitute: Callable[[str], BaseAdapter | None] | None = None


class DeadlinePassed(TimeoutError):
    """The deadline passed before the request was complete, so the server cannot act on it."""


class BoundedReader(io.RawIOBase):
    """The bytes of one response, until its deadline."""

    def __init__(self, raw: io.RawIOBase, sock: Any, left: Callable[[], float]) -> None:
        self._raw = raw
        self._sock = sock
        self._left = left

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        timeout = self._sock.gettimeout()
        left = self._left()
        if left <= 0:
            raise TimeoutError("the deadline has passed")
        if timeout is not None and timeout <= left:
            return self._raw.readinto(buffer)
        self._sock.settimeout(left)
        try:
            return self._raw.readinto(buffer)
        finally:
            self._sock.settimeout(timeout)

    def close(self) -> None:
        self._raw.close()
        super().close()


class BoundedResponse(http.client.HTTPResponse):
    def __init__(self, sock: Any, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        #: What it was received from, also once the connection has forgotten it. It knows about TLS.
        self.sock = sock
        if left := seconds_left.get():
            self.fp = io.BufferedReader(BoundedReader(self.fp.detach(), sock, left))


class BoundedConnection(http.client.HTTPConnection):
    response_class = BoundedResponse

    def send(self, data: Any) -> None:
        """
        Write the headers or the body, each with one call, unless the deadline has passed.

        Only a process that is stopped between this check and the end of its write sends after the deadline.
        """
        if self.sock is None and self.auto_open:
            self.connect()
        if (left := seconds_left.get()) and left() <= 0:
            raise DeadlinePassed("the deadline has passed")
        super().send(data)


class BoundedHTTPConnection(BoundedConnection, HTTPConnection):
    pass


class BoundedHTTPSConnection(BoundedConnection, HTTPSConnection):
    pass


class BoundedHTTPConnectionPool(HTTPConnectionPool):
    ConnectionCls = BoundedHTTPConnection


class BoundedHTTPSConnectionPool(HTTPSConnectionPool):
    ConnectionCls = BoundedHTTPSConnection


class BoundedAdapter(HTTPAdapter):
    """Opens connections that keep the deadline. Never repeats a request: ``max_retries`` stays 0."""

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = {
            "http": BoundedHTTPConnectionPool,
            "https": BoundedHTTPSConnectionPool,
        }


class RefusingAdapter(BaseAdapter):
    """Raises ``NetworkRefused`` with a reason instead of sending anything."""

    def __init__(self, reason: str) -> None:
        super().__init__()
        self.reason = reason

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        raise NetworkRefused(self.reason, method=request.method or "", path=request.path_url)

    def close(self) -> None:
        """Do nothing: there is no connection."""


class Session(requests.Session):
    """
    Ignores redirects, and uses ``substitute`` instead of the network.

    requests examines the target of a redirect that it does not follow, and reads a body of any size for that.
    """

    def get_adapter(self, url: str) -> BaseAdapter:
        found = substitute(url) if substitute is not None else None
        return found or super().get_adapter(url)

    def get_redirect_target(self, resp: requests.Response) -> None:
        return None


def new_session(use_environment: bool) -> requests.Session:
    """
    A session without cookies that keeps connections open for up to 16 threads.

    ``use_environment``: use the proxies and certificate bundles that the environment names. ``.netrc`` is
    never used: requests reads it only for a request without an ``auth``, and each of this client has one.
    """
    session = Session()
    session.trust_env = use_environment
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
    for scheme in ("https://", "http://"):
        session.mount(scheme, BoundedAdapter(pool_maxsize=POOL_SIZE))
    return session


def proxy_of(url: str) -> str:
    """The proxy of the environment that requests to a URL go through, without its password; "" for none."""
    proxy = requests.utils.select_proxy(url, requests.utils.get_environ_proxies(url))
    if not proxy:
        return ""
    parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
