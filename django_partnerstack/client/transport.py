"""One HTTP exchange: send a request and read the whole response, or raise what is known about its failure."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import requests
import urllib3
from requests.auth import AuthBase

from .. import __version__
from ..exceptions import InvalidArgument, NotSent, ReplyLost, RequestError, UnusableReply
from . import sockets
from .credentials import Scrubber
from .replies import Reply

#: A page of 250 objects has 100 KB, and less than 2 MB if every text has its greatest length.
MAX_BODY_BYTES = 16 * 1024 * 1024
#: The response to a write is one object.
MAX_BODY_BYTES_OF_A_WRITE = 1024 * 1024
#: Of the compressed body: gzip expands to at most 1,032 times its size, so a block stays below 17 MB.
BLOCK_BYTES = 16 * 1024
HEADERS = {
    "Accept": "application/json",
    "Accept-Encoding": "gzip, deflate",
    "User-Agent": f"django-partnerstack/{__version__} {requests.utils.default_user_agent()}",
}
#: What requests, urllib3 and the system raise before the request was sent completely.
NOTHING_SENT = (
    sockets.DeadlinePassed,
    requests.ConnectTimeout,
    requests.exceptions.ProxyError,
    urllib3.exceptions.NewConnectionError,
    urllib3.exceptions.ConnectTimeoutError,
    ssl.SSLCertVerificationError,
    ConnectionRefusedError,
)
# Some adapters let errors of urllib3 and of the system through. A chunk of negative length is a ValueError.
FAILURES = (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError)


class Transport:
    """Sends requests over one session. Threads may share it."""

    def __init__(self, session: requests.Session, connect_timeout: float, read_timeout: float) -> None:
        self._session = session
        self._timeouts = (connect_timeout, read_timeout)

    def exchange(
        self,
        method: str,
        url: str,
        *,
        path: str,
        auth: AuthBase,
        scrub: Scrubber,
        seconds_left: Callable[[], float],
        params: list[tuple[str, str]] | None = None,
        body: bytes | None = None,
    ) -> Reply:
        """
        Send a request once and return its response. ``path`` is for messages.

        Raises ``NotSent``, ``ReplyLost`` or ``UnusableReply``, or what a signal or a time limit raises,
        always without a cause and without inner frames: their variables include the ``Authorization`` header,
        which error reports would show.
        """
        where = {"method": method, "path": path}
        failure: BaseException
        response: requests.Response | None = None
        token = sockets.seconds_left.set(seconds_left)
        try:
            response = self._send(method, url, auth, params, body, seconds_left())
            limit = MAX_BODY_BYTES if method == "GET" else MAX_BODY_BYTES_OF_A_WRITE
            content = _read(response, limit, seconds_left, where)
        except FAILURES as error:
            failure = _translate_error(error, response, scrub, where)
        except BaseException as error:
            failure = _strip_traceback(error)
        else:
            return Reply(method, path, response.status_code, response.headers, content)
        finally:
            sockets.seconds_left.reset(token)
            if response is not None and response.raw is not None:
                response.close()
        raise failure

    def _send(
        self,
        method: str,
        url: str,
        auth: AuthBase,
        params: list[tuple[str, str]] | None,
        body: bytes | None,
        seconds: float,
    ) -> requests.Response:
        if seconds <= 0:
            raise requests.ConnectTimeout("the deadline has passed")
        connect, read = self._timeouts
        return self._session.request(
            method,
            url,
            params=params,
            data=body,
            headers=HEADERS if body is None else {**HEADERS, "Content-Type": "application/json"},
            auth=auth,
            timeout=(min(connect, seconds), min(read, seconds)),
            allow_redirects=False,
            stream=True,
        )


def _read(
    response: requests.Response, limit: int, seconds_left: Callable[[], float], where: dict[str, Any]
) -> bytes:
    """The whole body, decompressed. Gives up on a body that is too large or too slow."""
    if response.raw is None:  # An adapter that has the response in memory.
        return response.content
    coding = response.headers.get("Content-Encoding", "identity").lower()
    if coding not in ("identity", "gzip", "deflate"):
        # Several layers of compression could make a block a million times larger.
        _unusable(f"the encoding {coding[:40]!r}, which was not asked for", response, where)
    blocks = bytearray()
    for block in response.iter_content(BLOCK_BYTES):
        blocks += block
        if len(blocks) > limit:
            _unusable(f"a response of more than {limit // 2**20} MiB", response, where)
        if seconds_left() <= 0:
            raise requests.ReadTimeout("the deadline has passed")
    return bytes(blocks)


def _unusable(message: str, response: requests.Response, where: dict[str, Any]) -> NoReturn:
    raise UnusableReply(message, status=response.status_code, **where)


def _translate_error(
    error: Exception, response: requests.Response | None, scrub: Scrubber, where: dict[str, Any]
) -> Exception:
    """The error of this package for an error of requests, urllib3 or the system."""
    chain = list(causes(error))
    reason = scrub(f"{type(chain[-1]).__name__}: {chain[-1]}")[:300]
    if isinstance(error, requests.exceptions.ContentDecodingError):
        return UnusableReply(f"a damaged body ({reason})", **where)
    if isinstance(error, (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema)):
        return InvalidArgument(f"The URL cannot be used ({reason}).")
    kind: type[RequestError] = ReplyLost
    if response is None and any(isinstance(cause, NOTHING_SENT) for cause in chain):
        kind = NotSent
    message = "no connection" if kind is NotSent else "no complete response"
    return kind(f"{message} ({reason})", **where)


def _strip_traceback(error: BaseException) -> BaseException:
    error.__cause__ = error.__context__ = None
    return error.with_traceback(None)


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error and those that it wraps, the innermost last. requests and urllib3 wrap in three ways."""
    seen: list[BaseException] = []
    while error is not None and error not in seen:
        seen.append(error)
        yield error
        wrapped = (*error.args, getattr(error, "reason", None), error.__cause__)
        error = next((each for each in wrapped if isinstance(each, BaseException)), None)
