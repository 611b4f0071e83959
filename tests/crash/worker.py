"""A worker as ``partnerstack_push --loop`` runs it, with short leases and perhaps a trap."""

from __future__ import annotations

import signal
from datetime import timedelta

from django.core.management import call_command

from django_partnerstack import outbox
from django_partnerstack.client.retry import Pace
from django_partnerstack.connection import get_client

from . import traps
from .cluster import cut

#: Seconds: a look-up, a sending and one more.
LEASE = 5


def work(threads: int = 4, point: str = "", after: int = 1) -> None:
    """Until SIGTERM, or SIGKILL when ``point`` is reached for the ``after``-th time."""
    _work(threads, traps.Trap(point, after, traps.die))


def work_and_be_cut_off(threads: int, point: str, every: int) -> None:
    """Every so many times that ``point`` is reached, PostgreSQL ends the connection."""
    _work(threads, traps.Trap(point, every, cut, again=True))


def command() -> None:
    """The command itself, with the leases that it has."""
    call_command("partnerstack_push", loop=True)


def _work(threads: int, trap: traps.Trap) -> None:
    traps.watch_commits(trap)
    client = get_client(session=traps.watched_session(trap), deadline=2, pace=Pace(attempts=1))
    worker = outbox.worker(threads=threads, client=client)
    worker.lease = timedelta(seconds=LEASE)
    signal.signal(signal.SIGTERM, lambda *_: worker.stop())
    print("ready")
    worker.run(forever=True)
