"""Rows of one resource, kept sorted on insertion, so that no list has to sort them."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable
from operator import itemgetter
from typing import Any

#: An object as stored: field names as in the API, without computed fields.
Row = dict[str, Any]
#: Where a row is in an order: its timestamp, and its serial number among rows of the same millisecond.
Position = tuple[int, int]

SORT_KEYS: dict[str, Callable[[Row], Position]] = {
    "created_at": itemgetter("created_at", "serial"),
    "updated_at": itemgetter("updated_at", "serial"),
}


class Table:
    """
    Rows by key, by other fields that identify them, and in order of ``created_at`` and ``updated_at``.

    Two rows may have the same key (see ``Behaviour.duplicates``): ``find`` returns the first that is not
    archived, and lists contain both.
    """

    def __init__(self, *lookup_fields: str) -> None:
        self.indexes: dict[str, dict[str, Row]] = {name: {} for name in ("key", *lookup_fields)}
        self.orders: dict[str, list[Row]] = {name: [] for name in SORT_KEYS}
        #: Timestamps and serial numbers of removed rows, by key.
        self.removed: dict[str, Row] = {}
        #: Keys of removed rows that cannot be used again.
        self.retired_keys: set[str] = set()
        self.archived_count = 0
        #: When all rows are readable, in milliseconds.
        self.readable_at = 0
        #: Called with "created", "updated" or "deleted", and the row.
        self.observer: Callable[[str, Row], None] | None = None
        #: A number that changes with every change of the table.
        self.version = 0
        self._serial = 0
        #: Values that several rows have, by field.
        self._shared: dict[str, set[Any]] = {name: set() for name in self.indexes}

    def __len__(self) -> int:
        return len(self.orders["created_at"])

    def find(self, field: str, value: Any) -> Row | None:
        """The row with this value in one of the fields that identify rows."""
        return self.indexes[field].get(value)

    def add(self, row: Row) -> Row:
        self._number(row)
        self.readable_at = max(self.readable_at, row.get("visible_at", 0))
        self._link(row)
        self._observe("created", row)
        return row

    def extend(self, rows: Iterable[Row]) -> None:
        """Add many rows to an empty table."""
        self.version += 1
        created = self.orders["created_at"]
        for row in rows:
            self._number(row)
            self._index(row)
            created.append(row)
        created.sort(key=SORT_KEYS["created_at"])
        self.orders["updated_at"] = sorted(created, key=SORT_KEYS["updated_at"])

    def change(self, row: Row, fields: Row) -> None:
        was_archived = row.get("archived")
        self._unlink(row)
        row.update(fields)
        self._link(row)
        self._observe("deleted" if row.get("archived") and not was_archived else "updated", row)

    def remove(self, row: Row) -> None:
        """Remove a row for good."""
        self._unlink(row)
        self.removed[row["key"]] = {name: row[name] for name in ("created_at", "updated_at", "serial")}
        self._observe("deleted", row)

    def count_before(self, order: str, position: Position) -> int:
        """How many rows come before this position, oldest first."""
        return bisect_left(self.orders[order], position, key=SORT_KEYS[order])

    def _observe(self, verb: str, row: Row) -> None:
        if self.observer is not None:
            self.observer(verb, row)

    def _number(self, row: Row) -> None:
        self._serial += 1
        row["serial"] = self._serial

    def _link(self, row: Row) -> None:
        self.version += 1
        for name, order in self.orders.items():
            insort(order, row, key=SORT_KEYS[name])
        self._index(row)

    def _index(self, row: Row) -> None:
        self.archived_count += bool(row.get("archived"))
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
        self.version += 1
        self.archived_count -= bool(row.get("archived"))
        for name, order in self.orders.items():
            del order[self.count_before(name, SORT_KEYS[name](row))]
        for name, index in self.indexes.items():
            value = row.get(name)
            if value is not None and index.get(value) is row:
                del index[value]
                if value in self._shared[name]:
                    self._index_duplicate(name, value)

    def _index_duplicate(self, field: str, value: Any) -> None:
        """Index another row with the same value, preferably a row that is not archived."""
        rows = [row for row in self.orders["created_at"] if row.get(field) == value]
        if rows:
            self.indexes[field][value] = min(rows, key=lambda row: bool(row.get("archived")))
