"""A worker as ``partnerstack_push --loop`` runs it, with short leases and perhaps a trap."""

from __future__ import annotations

import argparse
import signal
from datetime import timedelta

import django

#: Seconds: a look-up, a sending and one more.
LEASE = 5


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--threads", type=int, default=4)
    parser.add_argument("--point", default="")
    parser.add_argument("--after", type=int, default=1)
    parser.add_argument("--cut", action="store_true", help="end the database's backend, again and again")
    options = parser.parse_args()
    django.setup()
    run(options)


def run(options: argparse.Namespace) -> None:
    from django_partnerstack import outbox
    from django_partnerstack.client.retry import Pace
    from django_partnerstack.connection import get_client

    from . import traps
    from .cluster import cut

    trap = traps.Trap(options.point, options.after, cut if options.cut else traps.die, again=options.cut)
    traps.watch_commits(trap)
    client = get_client(session=traps.watched_session(trap), deadline=2, pace=Pace(attempts=1))
    worker = outbox.worker(threads=options.threads, client=client)
    worker.lease = timedelta(seconds=LEASE)
    signal.signal(signal.SIGTERM, lambda *_: worker.stop())
    print("ready", flush=True)
    worker.run(forever=True)


if __name__ == "__main__":
    main()
