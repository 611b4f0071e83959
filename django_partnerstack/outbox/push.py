"""The worker of a site: a delivery loop with the site's settings."""

from __future__ import annotations

from threading import Event

from ..client import Client
from ..client.retry import RetryPolicy
from ..conf import conf
from ..connection import get_client
from ..throttle.clock import Clock
from .delivery.loop import DeliveryLoop


def worker(
    *,
    threads: int = 4,
    client: Client | None = None,
    clock: Clock | None = None,
    stopping: Event | None = None,
) -> DeliveryLoop:
    """
    A delivery loop with the site's settings and mode. It ends once ``stopping`` is set.

    Its client does not retry reads, because the outbox retries messages.

    Raises ConfigurationError if there is no key pair, or if a setting cannot be used.
    """
    seconds = float(conf.connect_timeout) + float(conf.read_timeout)
    return DeliveryLoop(
        client or get_client(deadline=seconds, retry_policy=RetryPolicy(attempts=1)),
        mode=conf.mode,
        threads=threads,
        request_seconds=seconds,
        grace_seconds=conf.lookup_grace,
        requests_per_minute=conf.requests_per_minute,
        retention_days=conf.retention_days,
        clock=clock,
        stopping=stopping,
    )
