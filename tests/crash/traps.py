"""
Named points in a worker's life, and what happens at them.

They are found from outside: by what a connection is about to commit, and by what a session sends.
"""

from __future__ import annotations

import os
import re
import signal
import threading
from collections.abc import Callable
from typing import Any

from django.db.backends.signals import connection_created
from requests import PreparedRequest, Response, Session
from urllib3.connectionpool import HTTPConnectionPool

from django_partnerstack.client.sockets import BoundedAdapter, BoundedHTTPConnection, new_session

POINTS = (
    "before the claim's commit",
    "after the claim's commit",
    "before the request",
    "after the bytes were sent",
    "after the reply",
    "before the result's commit",
    "after the result's commit",
)
#: Recognise a transaction by the columns of messages that it sets.
CLAIM = re.compile(r"\bUPDATE\b.*outboxmessage\W.*\bSET\b.*\bfirst_sent_at\b", re.DOTALL)
RESULT = re.compile(r"\bUPDATE\b.*outboxmessage\W.*\bSET\b.*\bfinished_at\b", re.DOTALL)


def die(*args: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)
    threading.Event().wait()


class Trap:
    """Springs when ``point`` is reached for the ``after``-th time; with ``again`` each ``after``-th time."""

    def __init__(
        self, point: str, after: int, spring: Callable[..., None] = die, again: bool = False
    ) -> None:
        self.point, self.after, self.spring, self.again = point, after, spring, again
        self._lock = threading.Lock()
        self._left = after

    def reach(self, point: str, *args: Any) -> None:
        if point != self.point:
            return
        with self._lock:
            self._left -= 1
            springs = self._left == 0
            if springs and self.again:
                self._left = self.after
        if springs:
            os.write(1, f"trap: {point}\n".encode())
            self.spring(*args)


def watch_commits(trap: Trap) -> None:
    """Reach the points before and after the commits of claims and results, on each new connection."""

    def watch(connection: Any, **kwargs: Any) -> None:
        if "_commit" not in vars(connection):
            Commits(connection, trap)

    connection_created.connect(watch, weak=False)


class Commits:
    def __init__(self, connection: Any, trap: Trap) -> None:
        self.connection, self.trap = connection, trap
        self.statements: list[str] = []
        self.commit = connection._commit
        connection._commit = self
        connection.execute_wrappers.append(self.notice)

    def notice(self, execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        self.statements.append(sql)
        return execute(sql, *rest)

    def __call__(self) -> None:
        done, self.statements = self.statements, []
        kind = _kind(done)
        self.trap.reach(f"before {kind} commit", self.connection)
        self.commit()
        self.trap.reach(f"after {kind} commit", self.connection)


def _kind(statements: list[str]) -> str:
    if any(map(CLAIM.search, statements)):
        return "the claim's"
    if any(map(RESULT.search, statements)):
        return "the result's"
    # A delivering thread acquires a slot or pauses delivery.
    return "another" if threading.current_thread() is threading.main_thread() else "the throttle's"


def watched_session(trap: Trap) -> Session:
    """A session like the client's that reaches the points of each write."""

    class Connection(BoundedHTTPConnection):
        def request(self, method: str, *args: Any, **options: Any) -> None:
            super().request(method, *args, **options)
            if method != "GET":
                trap.reach("after the bytes were sent")

    class Pool(HTTPConnectionPool):
        ConnectionCls = Connection

    class Adapter(BoundedAdapter):
        def init_poolmanager(self, *args: Any, **options: Any) -> None:
            super().init_poolmanager(*args, **options)
            self.poolmanager.pool_classes_by_scheme = {"http": Pool}

        def send(self, request: PreparedRequest, *args: Any, **options: Any) -> Response:
            if request.method == "GET":
                return super().send(request, *args, **options)
            trap.reach("before the request")
            response = super().send(request, *args, **options)
            trap.reach("after the reply")
            return response

    session = new_session(use_environment=False)
    session.mount("http://", Adapter())
    return session
