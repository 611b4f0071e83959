"""Rows of one resource, kept in order as they come in, so that no list has to be sorted."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable
from operator import itemgetter
from typing import Any

#: What the sandbox remembers of an object: field names as in the API, without those that can be worked out.
Row = dict[str, Any]
#: A place in an order: the timestamp, and the serial number for rows of the same millisecond.
Place = tuple[int, int]

BY: dict[str, Callable[[Row], Place]] = {
    "created_at": itemgetter("created_at", "serial"),
    "updated_at": itemgetter("updated_at", "serial"),
}


class Collection:
    """
    Rows by key, by other fields that name them, and in order of ``created_at`` and ``updated_at``.

    Two rows may have the same key (see ``Behaviour.duplicates``): the first one that is not archived
    answers to it, and both are listed.
    """

    def __init__(self, *named_by: str) -> None:
        self.indexes: dict[str, dict[str, Row]] = {name: {} for name in ("key", *named_by)}
        self.orders: dict[str, list[Row]] = {name: [] for name in BY}
        #: Where rows stood that have vanished.
        self.gone: dict[str, Row] = {}
        #: Keys of vanished rows that cannot be used again.
        self.burnt: set[str] = set()
        self.archived = 0
        #: When the last row was or will be there for everybody to read, in milliseconds.
        self.readable_at = 0
        self._serial = 0
        #: Values that several rows have, by field.
        self._shared: dict[str, set[Any]] = {name: set() for name in self.indexes}

    def __len__(self) -> int:
        return len(self.orders["created_at"])

    def find(self, name: str, value: Any) -> Row | None:
        """The row that has this value in a field that names it."""
        return self.indexes[name].get(value)

    def add(self, row: Row) -> Row:
        self._number(row)
        self.readable_at = max(self.readable_at, row.get("visible_at", 0))
        self._link(row)
        return row

    def extend(self, rows: Iterable[Row]) -> None:
        """Add many rows to an empty collection."""
        made = self.orders["created_at"]
        for row in rows:
            self._number(row)
            self._index(row)
            made.append(row)
        made.sort(key=BY["created_at"])
        self.orders["updated_at"] = sorted(made, key=BY["updated_at"])

    def change(self, row: Row, fields: Row) -> None:
        self._unlink(row)
        row.update(fields)
        self._link(row)

    def remove(self, row: Row) -> None:
        """Let a row vanish."""
        self._unlink(row)
        self.gone[row["key"]] = {name: row[name] for name in ("created_at", "updated_at", "serial")}

    def position(self, order: str, place: Place) -> int:
        """How many rows stand before this place, oldest first."""
        return bisect_left(self.orders[order], place, key=BY[order])

    def _number(self, row: Row) -> None:
        self._serial += 1
        row["serial"] = self._serial

    def _link(self, row: Row) -> None:
        for name, order in self.orders.items():
            insort(order, row, key=BY[name])
        self._index(row)

    def _index(self, row: Row) -> None:
        self.archived += bool(row.get("archived"))
        for name, index in self.indexes.items():
            value = row.get(name)
            if value is None:
                continue
            first = index.setdefault(value, row)
            if first is not row:
                self._shared[name].add(value)
                if first.get("archived"):
                    index[value] = row

    def _unlink(self, row: Row) -> None:
        self.archived -= bool(row.get("archived"))
        for name, order in self.orders.items():
            del order[self.position(name, BY[name](row))]
        for name, index in self.indexes.items():
            value = row.get(name)
            if value is not None and index.get(value) is row:
                del index[value]
                if value in self._shared[name]:
                    self._let_another_answer(name, value)

    def _let_another_answer(self, name: str, value: Any) -> None:
        rows = [row for row in self.orders["created_at"] if row.get(name) == value]
        if rows:
            self.indexes[name][value] = min(rows, key=lambda row: bool(row.get("archived")))
