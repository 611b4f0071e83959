"""Filters that several lists have."""

from __future__ import annotations

from ..resource import Filter, Predicate
from ..world import World


def equals(field: str) -> Filter:
    """A filter for rows whose field has one of the values given."""

    def make(world: World, values: list[str]) -> Predicate:
        wanted = set(values)
        return lambda row: row.get(field) in wanted

    return make


def of_partnership(world: World, values: list[str]) -> Predicate:
    """The ``partnership_key`` filter for rows that have a ``partner_key``."""
    found = (world["partnerships"].find("key", value) for value in values)
    wanted = {row["partner_key"] for row in found if row is not None}
    return lambda row: row.get("partner_key") in wanted
