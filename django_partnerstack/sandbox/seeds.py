"""
The programme that a sandbox begins with.

The same numbers and the same seed give the same objects, whatever the time is: seeded objects were all made
in the years 2023 and 2024.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from random import Random

from .collection import Row
from .programme import RESOURCES
from .resource import Resource
from .resources.partnerships import TEST_PARTNER_KEY
from .world import World

FIRST = 1_672_531_200_000  # 2023-01-01, in milliseconds
SPAN = 2 * 365 * 24 * 3_600_000
#: The one partnership of a production world that was asked for none.
PRODUCTION_PARTNER_KEY = "sandboxpartner"
DAY = 24 * 3_600_000


def plant(world: World, counts: Mapping[str, int]) -> None:
    """
    Fill an empty world with that many objects of each resource.

    The test partner ``gstest`` comes on top of the partnerships asked for, and is the one that customers
    belong to where no other was asked for.
    """
    for name, resource in RESOURCES.items():
        rows = list(_rows(world, resource, counts.get(name, 0)))
        if name == "partnerships":
            rows = [*_own_partner(world, rows), *rows]
        world[name].extend(rows)
        if resource.on_add:
            for row in rows:
                resource.on_add(world, row)


def _rows(world: World, resource: Resource, count: int) -> Iterator[Row]:
    """Evenly spread over the two years; every tenth in the same millisecond as the one before."""
    random = Random(f"{world.mode}:{resource.name}:{count}")  # noqa: S311
    created = FIRST
    for number in range(count):
        if number % 10:
            created = FIRST + DAY + number * SPAN // count
        updated = created if number % 3 else created + random.randrange(30 * DAY)
        stamps = {"key": world.new_key(resource.prefix), "created_at": created, "updated_at": updated}
        yield {**stamps, **resource.sample(world, number)}


def _own_partner(world: World, rows: list[Row]) -> Iterator[Row]:
    """``gstest`` in the test world; in the production world one partner, if customers would have none."""
    partner_key = TEST_PARTNER_KEY if world.test else PRODUCTION_PARTNER_KEY
    if world.test or not rows:
        groups = world["groups"].orders["created_at"]
        yield {
            "key": world.new_key("part_"),
            "partner_key": partner_key,
            "email": f"{partner_key}@partners.example",
            "first_name": "Test" if world.test else "Sandbox",
            "last_name": "Partner",
            "group_key": groups[0]["key"] if groups else None,
            "approved_status": "approved",
            "claimed": True,
            "created_at": FIRST,
            "updated_at": FIRST,
        }
