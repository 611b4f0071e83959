"""
Measures a pull, in a separate process and database.

Run as a program with a URL of ``prerendered``, the number of its customers, and what to measure: ``speed`` or
``memory``. Prints JSON. ``DATABASE_URL`` chooses the database.
"""

import json
import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median

import django
from django.db import connection

ROUNDS = 3
SAMPLE = 2_000


@contextmanager
def database() -> Iterator[None]:
    name = connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        yield
    finally:
        connection.creation.destroy_test_db(name, verbosity=0)


def rate(rows: int, work: Callable[[], object]) -> float:
    """Rows per second."""
    begin = time.perf_counter()
    work()
    return rows / (time.perf_counter() - begin)


class Job:
    """Writes the same customers into the same table, with a plain loop and with a pull."""

    def __init__(self, url: str, count: int) -> None:
        from django_partnerstack import models
        from django_partnerstack.client import Client

        self.client = Client("pk_benchmark", "sk_benchmark", api_url=f"{url}/api/v2")
        self.count = count
        self.models = models

    def empty(self) -> None:
        self.models.SyncState.objects.all().delete()
        self.models.Customer.objects.all().delete()

    def loop(self) -> None:
        """What a site would write itself: ``update_or_create`` for each object, for a sample of them."""
        from django.utils import timezone

        from django_partnerstack.mapping import to_row

        for number, record in enumerate(self.client.customers.iterate()):
            if number == SAMPLE:
                break
            row = to_row(record, mode="test", synced_at=timezone.now())
            self.models.Customer.objects.update_or_create(
                mode=row.pop("mode"), key=row.pop("key"), defaults=row
            )

    def pull(self, **options: object) -> None:
        from django_partnerstack.sync import pull

        pulled = pull("customers", client=self.client, mode="test", **options)
        assert pulled.complete, pulled
        assert pulled.read == self.count, pulled

    def http(self) -> None:
        """The upper limit: read all, store nothing."""
        assert sum(1 for record in self.client.customers.iterate()) == self.count


def speed(job: Job) -> dict:
    """Medians of several rounds, because other work may share the machine."""
    rounds: dict[str, list[float]] = {}
    for _ in range(ROUNDS):
        job.empty()
        rounds.setdefault("loop", []).append(rate(SAMPLE, job.loop))
        rounds.setdefault("loop again", []).append(rate(SAMPLE, job.loop))
        job.empty()
        rounds.setdefault("first load", []).append(rate(job.count, job.pull))
        rounds.setdefault("unchanged", []).append(rate(job.count, lambda: job.pull(full=True)))
        rounds.setdefault("http", []).append(rate(job.count, job.http))
    return {**{name: median(rates) for name, rates in rounds.items()}, "queries": queries(job)}


def queries(job: Job) -> int:
    """The most queries between two pages of a full pull, without those that begin and end transactions."""
    log: list[str] = []
    counts: list[int] = []

    def note(execute: Callable, sql: str, params: object, many: bool, context: dict) -> object:
        log.append(sql)
        return execute(sql, params, many, context)

    def count(pulled: object) -> None:
        counts.append(sum(not sql.startswith(("BEGIN", "SAVEPOINT", "RELEASE")) for sql in log))
        log.clear()

    # The worst case: some rows to insert, and all others to update.
    job.models.Customer.objects.filter(customer_key__endswith="0").delete()
    job.models.Customer.objects.update(raw={})
    with connection.execute_wrapper(note):
        job.pull(full=True, on_page=count)
    return max(counts[1:])


def memory(job: Job) -> dict:
    """The peak memory of this process in MiB."""
    job.pull()
    job.pull(full=True)
    return {"peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


if __name__ == "__main__":
    django.setup()
    url, count, what = sys.argv[1:]
    with database():
        print(json.dumps({"speed": speed, "memory": memory}[what](Job(url, int(count)))))
