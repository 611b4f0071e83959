"""
The throughput of the outbox and of other queues: ``python -m tests.benchmarks.push [MESSAGES]``.

Needs PostgreSQL; ``POSTGRESQL_URL`` chooses the database. The queues alternate in each round, because other
work may share the machine; prints medians.
"""

import json
import os
import subprocess
import sys
from statistics import median

from .sink import sink

ROUNDS = 3
QUEUES = ("outbox", "procrastinate", "tasks_db")
#: The required messages per second, by the latency of an answer in milliseconds.
TARGETS = {0: 400, 20: 250}
#: The numbers of messages for which the memory is compared, and the most that it may be, in MiB.
SMALL, LARGE, MOST_MEMORY = 5_000, 100_000, 100


def run(module: str, *arguments: object) -> dict:
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.benchmarks.settings"}
    environment["DATABASE_URL"] = os.environ.get("POSTGRESQL_URL", "postgres:///partnerstack")
    command = [sys.executable, "-m", f"tests.benchmarks.{module}", *map(str, arguments)]
    return json.loads(subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE).stdout)


def rates(milliseconds: int, count: int) -> None:
    found: dict[str, list[float]] = {queue: [] for queue in QUEUES}
    with sink(milliseconds) as url:
        for _ in range(ROUNDS):
            for queue in QUEUES:
                found[queue].append(run("queues", queue, url, count)["rate"])
    outbox = median(found["outbox"])
    print(f"{count:,} messages, an answer takes {milliseconds} ms, 8 at a time")
    print(f"  outbox         {outbox:6.0f} messages/s (at least {TARGETS[milliseconds]})")
    for queue in QUEUES[1:]:
        other = median(found[queue])
        print(f"  {queue:14} {other:6.0f} messages/s: outbox {outbox / other:.1f} times")


def memory() -> None:
    with sink(0) as url:
        peaks = [run("queues", "outbox", url, count)["peak"] for count in (SMALL, LARGE)]
    print(f"memory of the process that queues and delivers {SMALL:,} messages: {peaks[0]:.0f} MiB")
    print(f"  {LARGE:,} messages: {peaks[1]:.0f} MiB (less than {MOST_MEMORY})")


def claims() -> None:
    found = run("cost")
    for lanes, milliseconds in found["claims"].items():
        print(f"claim of 8 of 100,000 messages in {int(lanes):,} lanes: {milliseconds:.1f} ms (at most 10)")


if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True)
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 3_000
    for milliseconds in TARGETS:
        rates(milliseconds, count)
    memory()
    claims()
