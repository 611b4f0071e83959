"""A worker as ``partnerstack_push --loop`` runs it, with short leases and an optional trap."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management import call_command, execute_from_command_line
from django.db.backends.signals import connection_created

from django_partnerstack.client.retry import RetryPolicy
from django_partnerstack.conf import conf
from django_partnerstack.connection import get_client
from django_partnerstack.outbox.push import worker
from django_partnerstack.sync import lease
from django_partnerstack.webhooks import process, queue

from . import traps
from .cluster import cut

#: A look-up, a request and one more second.
LEASE = 5
#: Seconds that a worker may sync a resource after its last page.
SYNC_LEASE = 3
#: Seconds that a worker may process the events that it claimed.
WEBHOOK_LEASE = 6


def work(threads: int = 4, point: str = "", after: int = 1) -> None:
    """Until SIGTERM, or SIGKILL when ``point`` is reached for the ``after``-th time."""
    _work(threads, traps.Trap(point, after, traps.die))


def work_and_be_cut_off(threads: int, point: str, every: int) -> None:
    """Each ``every``-th time that ``point`` is reached, PostgreSQL ends the connection."""
    _work(threads, traps.Trap(point, every, cut, again=True))


def work_and_say_queries() -> None:
    """Print the time of each query."""
    connection_created.connect(lambda connection, **_: connection.execute_wrappers.append(_say), weak=False)
    work()


def _say(execute: Callable[..., Any], *query: Any) -> Any:
    print("query", time.monotonic())
    return execute(*query)


def command() -> None:
    """The command, with its usual leases."""
    call_command("partnerstack_push", loop=True)


def service() -> None:
    """``partnerstack_worker``, with its usual leases."""
    call_command("partnerstack_worker")


def service_with_short_leases(url: str) -> None:
    """A worker with an address of PartnerStack of its own, so that PartnerStack knows who asks."""
    settings.PARTNERSTACK_API_URL = url
    lease.LEASE = timedelta(seconds=SYNC_LEASE)
    call_command("partnerstack_worker")


def service_with_short_webhook_leases() -> None:
    """What a killed worker has claimed is due again soon."""
    queue.LEASE, process.RESERVE = timedelta(seconds=WEBHOOK_LEASE), timedelta(seconds=2)
    call_command("partnerstack_worker")


def service_that_says_queries() -> None:
    """Print the time of each query."""
    connection_created.connect(lambda connection, **_: connection.execute_wrappers.append(_say), weak=False)
    call_command("partnerstack_worker")


def command_line() -> None:
    """The command as an operator or cron calls it: until nothing is due; an error is printed in one line."""
    execute_from_command_line(["manage.py", "partnerstack_push"])


def _work(threads: int, trap: traps.Trap) -> None:
    traps.watch_commits(trap)
    deadline = conf.connect_timeout + conf.read_timeout
    client = get_client(
        session=traps.watched_session(trap), deadline=deadline, retry_policy=RetryPolicy(attempts=1)
    )
    loop = worker(threads=threads, client=client)
    loop.lease = timedelta(seconds=LEASE)
    signal.signal(signal.SIGTERM, lambda *_: loop.stop())
    print("ready")
    loop.run(forever=True)
