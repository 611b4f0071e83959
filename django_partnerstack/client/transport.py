"""One exchange over HTTP: a request out, a whole answer in, or the error that says how far it came."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import requests
import urllib3
from requests.auth import AuthBase

from .. import __version__
from ..exceptions import InvalidArgument, NotSent, ReplyLost, RequestError, UnusableReply
from .credentials import Scrubber
from .replies import Reply
from .sockets import seconds_left

#: A page of 250 objects is 100 KB; with every text at its longest it stays under 2 MB.
LONGEST_BODY = 16 * 1024 * 1024
#: Of the bytes as sent: gzip makes at most 1,032 times as many, so that a block stays under 17 MB.
BLOCK = 16 * 1024
HEADERS = {
    "Accept": "application/json",
    "Accept-Encoding": "gzip, deflate",
    "User-Agent": f"django-partnerstack/{__version__} {requests.utils.default_user_agent()}",
}
#: What urllib3 and the system raise before anything of the request has left.
NOTHING_LEFT = (
    requests.ConnectTimeout,
    requests.exceptions.ProxyError,
    urllib3.exceptions.NewConnectionError,
    urllib3.exceptions.ConnectTimeoutError,
    ssl.SSLCertVerificationError,
    ConnectionRefusedError,
)
# Some adapters let errors of urllib3 and of the system through, and urllib3 a chunk of negative length.
FAILURES = (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError)


class Transport:
    """Sends one request at a time per thread, over one session."""

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
        left: Callable[[], float],
        params: list[tuple[str, str]] | None = None,
        body: bytes | None = None,
    ) -> Reply:
        """
        The answer to one request, sent once; ``left`` says how many seconds it may still take.

        Raises ``NotSent``, ``ReplyLost`` or ``UnusableReply``, or what a signal or a time limit raises. None
        has a cause or the frames below: those hold the ``Authorization`` header, and whoever shows a
        traceback with its variables would show it too.
        """
        where = {"method": method, "path": path}
        failure: BaseException
        response: requests.Response | None = None
        token = seconds_left.set(left)
        try:
            response = self._send(method, url, auth, params, body, left())
            content = _read(response, left, where)
        except FAILURES as error:
            failure = _explain(error, response, scrub, where)
        except BaseException as error:
            failure = _alone(error)
        else:
            return Reply(method, path, response.status_code, response.headers, content)
        finally:
            seconds_left.reset(token)
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
        left: float,
    ) -> requests.Response:
        if left <= 0:
            raise requests.ConnectTimeout("the deadline has passed")
        connect, read = self._timeouts
        return self._session.request(
            method,
            url,
            params=params,
            data=body,
            headers=HEADERS if body is None else {**HEADERS, "Content-Type": "application/json"},
            auth=auth,
            timeout=(min(connect, left), min(read, left)),
            allow_redirects=False,
            stream=True,
        )


def _read(response: requests.Response, left: Callable[[], float], where: dict[str, Any]) -> bytes:
    """The whole body, decompressed, unless it is too large or too slow."""
    if response.raw is None:  # An adapter that answers from memory.
        return response.content
    coding = response.headers.get("Content-Encoding", "identity").lower()
    if coding not in ("identity", "gzip", "deflate"):
        # Several layers can grow a million times in one block.
        _unusable(f"the encoding {coding[:40]!r}, which was not asked for", response, where)
    blocks = bytearray()
    for block in response.iter_content(BLOCK):
        blocks += block
        if len(blocks) > LONGEST_BODY:
            _unusable(f"an answer of more than {LONGEST_BODY // 2**20} MiB", response, where)
        if left() <= 0:
            raise requests.ReadTimeout("the deadline has passed")
    return bytes(blocks)


def _unusable(message: str, response: requests.Response, where: dict[str, Any]) -> NoReturn:
    raise UnusableReply(message, status=response.status_code, **where)


def _explain(
    error: Exception, response: requests.Response | None, scrub: Scrubber, where: dict[str, Any]
) -> Exception:
    """Our error for one of requests, urllib3 or the system."""
    chain = list(_causes(error))
    reason = scrub(f"{type(chain[-1]).__name__}: {chain[-1]}")[:300]
    if isinstance(error, requests.exceptions.ContentDecodingError):
        return UnusableReply(f"a damaged body ({reason})", **where)
    if isinstance(error, (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema)):
        return InvalidArgument(f"The URL cannot be used ({reason}).")
    kind: type[RequestError] = ReplyLost
    if response is None and any(isinstance(cause, NOTHING_LEFT) for cause in chain):
        kind = NotSent
    words = "no connection" if kind is NotSent else "no whole answer came back"
    return kind(f"{words} ({reason})", **where)


def _alone(error: BaseException) -> BaseException:
    error.__cause__ = error.__context__ = None
    return error.with_traceback(None)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what it wraps, the innermost last. requests and urllib3 wrap in three ways."""
    seen: list[BaseException] = []
    while error is not None and error not in seen:
        seen.append(error)
        yield error
        wrapped = (*error.args, getattr(error, "reason", None), error.__cause__)
        error = next((each for each in wrapped if isinstance(each, BaseException)), None)
