"""
Fills a new database with sample objects.

The same counts and the same seed give the same objects at any time: all are dated 2023 and 2024.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from random import Random

from ..storage.database import Database
from ..storage.table import Row
from .resource import Resource

#: 2023-01-01; all times in milliseconds.
FIRST = 1_672_531_200_000
DAY = 24 * 3_600_000
SPAN = 2 * 365 * DAY


def seed(db: Database, resources: Iterable[Resource], counts: Mapping[str, int]) -> None:
    """Add the given number of objects of each resource, and those that always exist."""
    for resource in resources:
        rows = list(_seeded_rows(db, resource, counts.get(resource.name, 0)))
        if resource.permanent_rows:
            stamps = {"created_at": FIRST, "updated_at": FIRST}
            rows = [*({**stamps, **row} for row in resource.permanent_rows(db, rows)), *rows]
        db[resource.name].extend(rows)


def _seeded_rows(db: Database, resource: Resource, count: int) -> Iterator[Row]:
    """Rows spread evenly over two years; every tenth shares its millisecond with the row before."""
    random = Random(f"{db.mode}:{resource.name}:{count}")  # noqa: S311
    created = FIRST
    for number in range(count):
        if number % 10:
            created = FIRST + DAY + number * SPAN // count
        updated = created if number % 3 else created + random.randrange(30 * DAY)
        stamps = {"key": db.new_key(resource.key_prefix), "created_at": created, "updated_at": updated}
        yield {**stamps, **resource.seed_row(db, number)}
