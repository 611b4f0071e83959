"""A parsed request, with the data that its handler reads and changes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from ..behaviour.switches import Behaviour
from ..replies import Refusal
from ..storage.database import Database
from ..storage.table import Row
from .schema import Schema, check

#: How many times each operation took effect, by mode, operation and natural key:
#: ``effects["test", "transactions.create", "inv_1"]``.
Effects = Counter[tuple[str, str, str]]


@dataclass
class Call:
    """One request. ``db`` is the database of its mode; ``now`` is in milliseconds since the epoch."""

    db: Database
    other_db: Database
    behaviour: Behaviour
    effects: Effects
    now: int
    keys: dict[str, str] = field(default_factory=dict)
    query: dict[str, list[str]] = field(default_factory=dict)
    body: dict[str, Any] = field(default_factory=dict)

    def check_body(self, schema: Schema) -> None:
        """Raise Refusal with 400 for the first problem of the body."""
        check(self.body, schema, reject_unknown=self.behaviour.unknown_fields == "reject")

    def count_effect(self, operation: str, key: str) -> None:
        self.effects[self.db.mode, operation, key] += 1

    def mixed_modes(self, message: str) -> Refusal:
        return Refusal(int(self.behaviour.wrong_mode), message)

    def unknown_reference(self, message: str) -> Refusal:
        return Refusal(int(self.behaviour.unknown_reference), message)

    def is_visible(self, row: Row) -> bool:
        """Whether the read lag of a row is over."""
        return bool(row.get("visible_at", 0) <= self.now)

    def can_refer_to(self, row: Row) -> bool:
        """Whether the body of a write may refer to a row."""
        return self.behaviour.early_writes == "accepted" or self.is_visible(row)
