"""Everything that PartnerStack holds in one mode, and what a request is answered from."""

from __future__ import annotations

import string
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from .behaviour import Behaviour
from .collection import Collection, Row
from .replies import Refusal

ALPHABET = string.ascii_letters + string.digits
COMPANY = {"key": "co_sandboxCompany0", "name": "Sandbox Company"}

#: How often each thing was really done, by mode, verb and natural key:
#: ``effects["test", "transactions.create", "inv_1"]``.
Effects = Counter[tuple[str, str, str]]


@dataclass(frozen=True, kw_only=True)
class Click:
    """A click on a partner's link. ``created_at`` is in milliseconds; ``sub_ids`` are ``sid``, ``sid1``, …"""

    xid: str
    mode: str
    partner_key: str
    #: The ``part_…`` key, which stays when the partner gets another ``partner_key``.
    partnership_key: str
    created_at: int
    destination: str
    sub_ids: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class Conversion:
    """A conversion that was sent in good order, and whether it made a customer. Milliseconds."""

    mode: str
    xid: str
    customer_key: str
    sent_at: int
    created: bool


class World:
    """
    The objects of one mode: ``world["customers"]`` is a collection of rows.

    Every object of the test world is a test object and no other is. ``named_by`` has the fields that name the
    objects of each resource.
    """

    def __init__(self, mode: str, seed: int, named_by: Mapping[str, Iterable[str]]) -> None:
        self.mode = mode
        self.test = mode == "test"
        self.seed = seed
        self.random = Random(f"{seed}:{mode}")  # noqa: S311
        self.collections = {name: Collection(*fields) for name, fields in named_by.items()}
        self.clicks: dict[str, Click] = {}
        #: How often a conversion of each customer key was sent, and the keys that were converted.
        self.attempts: Counter[str] = Counter()
        self.converted: set[str] = set()

    def __getitem__(self, name: str) -> Collection:
        return self.collections[name]

    def new_key(self, prefix: str) -> str:
        """A key as PartnerStack makes them: the prefix and 14 letters and digits."""
        return prefix + "".join(self.random.choices(ALPHABET, k=14))

    def draw(self, *names: object) -> float:
        """A number from 0 to 1 by chance, but always the same for the same seed, mode and names."""
        return Random(":".join(map(str, (self.seed, self.mode, *names)))).random()  # noqa: S311


@dataclass
class Call:
    """A request that has been understood, with all that answering it may need. ``now`` is in milliseconds."""

    world: World
    other_world: World
    behaviour: Behaviour
    effects: Effects
    now: int
    keys: dict[str, str] = field(default_factory=dict)
    query: dict[str, list[str]] = field(default_factory=dict)
    body: dict[str, Any] = field(default_factory=dict)

    def took_effect(self, verb: str, key: str) -> None:
        self.effects[self.world.mode, verb, key] += 1

    def refuse_mixed_modes(self, message: str) -> Refusal:
        return Refusal(int(self.behaviour.wrong_mode), message)

    def refuse_unknown(self, message: str) -> Refusal:
        return Refusal(int(self.behaviour.unknown_reference), message)

    def is_visible(self, row: Row) -> bool:
        """Whether the read lag of a row is over."""
        return bool(row.get("visible_at", 0) <= self.now)

    def can_refer_to(self, row: Row) -> bool:
        """Whether a write may name a row."""
        return self.behaviour.early_writes == "accepted" or self.is_visible(row)
