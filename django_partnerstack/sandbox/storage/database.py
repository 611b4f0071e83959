"""All data of one mode."""

from __future__ import annotations

import string
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from random import Random

from .table import Table

ALPHABET = string.ascii_letters + string.digits


@dataclass(frozen=True, kw_only=True)
class Click:
    """A click on a partner's link. ``created_at`` is in milliseconds; ``sub_ids`` are ``sid``, ``sid1``, …"""

    xid: str
    mode: str
    partner_key: str
    #: The ``part_…`` key, which stays the same when the ``partner_key`` changes.
    partnership_key: str
    created_at: int
    destination: str
    sub_ids: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class Conversion:
    """A valid conversion, and whether it created a customer. ``sent_at`` is in milliseconds."""

    mode: str
    xid: str
    customer_key: str
    sent_at: int
    created: bool


class Database:
    """
    The tables of one mode: ``database["customers"]``.

    ``lookup_fields`` lists, for each resource, the fields other than ``key`` that identify its objects.
    """

    def __init__(self, mode: str, seed: int, lookup_fields: Mapping[str, Iterable[str]]) -> None:
        self.mode = mode
        self.test = mode == "test"
        self.seed = seed
        self.random = Random(f"{seed}:{mode}")  # noqa: S311
        self.tables = {name: Table(*fields) for name, fields in lookup_fields.items()}
        self.clicks: dict[str, Click] = {}
        #: Totals of each partner, and the versions of the tables that they were computed from.
        self.cached_stats: tuple[tuple[int, ...], dict[str, Counter[str]]] = ((), {})
        #: How many conversions of each customer key were sent, and the keys that a conversion created.
        self.attempts: Counter[str] = Counter()
        self.converted: set[str] = set()

    def __getitem__(self, name: str) -> Table:
        return self.tables[name]

    def new_key(self, prefix: str) -> str:
        """A key such as PartnerStack creates: the prefix, then 14 letters and digits."""
        return prefix + "".join(self.random.choices(ALPHABET, k=14))

    def draw(self, *names: object) -> float:
        """A pseudo-random number from 0 to 1, which depends on the seed, the mode and the names only."""
        return Random(":".join(map(str, (self.seed, self.mode, *names)))).random()  # noqa: S311
