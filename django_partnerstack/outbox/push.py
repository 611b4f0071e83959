"""Delivering with the settings of the site."""

from __future__ import annotations

from threading import Event

from ..client import Client
from ..client.retry import RetryPolicy
from ..conf import conf
from ..connection import get_client
from .clock import Clock
from .line import Line
from .worker import Worker


def site_line(mode: str) -> Line:
    """An end of the line to PartnerStack, as the site's settings have it."""
    return Line(mode, Clock(), requests_per_minute=conf.requests_per_minute)


def worker(*, threads: int = 4, client: Client | None = None, stopping: Event | None = None) -> Worker:
    """
    A worker for the site's mode, which ends once ``stopping`` is set.

    Raises ConfigurationError without a key pair, or with a wrong setting.

    Reads are not tried again by the client here: a message's next attempt is in the database.
    """
    seconds = float(conf.connect_timeout) + float(conf.read_timeout)
    return Worker(
        client or get_client(deadline=seconds, retry_policy=RetryPolicy(attempts=1)),
        mode=conf.mode,
        threads=threads,
        request_seconds=seconds,
        grace_seconds=conf.lookup_grace,
        requests_per_minute=conf.requests_per_minute,
        retention_days=conf.retention_days,
        stopping=stopping,
    )
