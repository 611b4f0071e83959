"""
The ledger: what is known about each payment and customer, sorted by key, in a temporary file.

The site's objects come in the order of their primary keys, and PartnerStack's in that of the mirror. To bring
together what is about one key, in either direction and in constant memory, all facts are written to a file
and sorted there. SQLite does both; it deletes the file by itself, also if the process is killed.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby, islice
from operator import itemgetter
from typing import Any, NamedTuple, TypeVar

T = TypeVar("T")

#: Facts between two calls of ``on_read``.
BATCH = 1000

CREATE = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA temp_store = FILE;
PRAGMA cache_size = -2000;
CREATE TABLE facts (about TEXT NOT NULL, what INTEGER NOT NULL, data TEXT NOT NULL);
CREATE TABLE organic (customer TEXT PRIMARY KEY, is_attributed INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE unknown (data TEXT NOT NULL);
BEGIN;
"""


class SiteCustomer(NamedTuple):
    """A customer as its source describes it."""

    source: str
    source_pk: str
    partner_key: str


class SitePayment(NamedTuple):
    """A payment as its source describes it. ``at``: when it was paid, if the source says so."""

    source: str
    source_pk: str
    customer_key: str
    amount: int
    currency: str
    at: float | None


class Reported(NamedTuple):
    """A key that was used for a payment or its deletion. ``at``: when PartnerStack was known to have it."""

    key: str
    is_deletion: bool
    customer_key: str
    amount: int | None
    currency: str
    at: float | None


class Identified(NamedTuple):
    """A customer key that this site has used."""


class OrganicLane(NamedTuple):
    """The customer was sequenced as organic."""


class MirroredCustomer(NamedTuple):
    """A customer at PartnerStack. ``present``: neither archived nor missing."""

    pk: int
    partner_key: str
    partnership_key: str
    present: bool
    at: float | None


class MirroredPayment(NamedTuple):
    """
    A transaction at PartnerStack. ``customer``: PartnerStack's own key of the customer.

    ``listed``: not missing, so that the last full sync has seen it, also if it is archived.
    """

    pk: int
    key: str
    customer: str
    customer_key: str
    amount: int | None
    currency: str
    present: bool
    listed: bool
    at: float | None


Fact = SiteCustomer | SitePayment | Reported | Identified | OrganicLane | MirroredCustomer | MirroredPayment
FACTS: tuple[type[Fact], ...] = (
    SiteCustomer,
    SitePayment,
    Reported,
    Identified,
    OrganicLane,
    MirroredCustomer,
    MirroredPayment,
)
#: ``SitePayment`` and ``Reported`` are 1 and 2 in ``known``.
NUMBER = {fact: number for number, fact in enumerate(FACTS)}

#: Prefixes, so that customers are compared before payments.
CUSTOMER, PAYMENT = "c:", "p:"


class Ledger:
    """
    A context manager; nothing is left of it.

    ``on_read`` is called with the facts that were read since the last call, and with the number of all.
    """

    def __init__(self, on_read: Callable[[int, int], object] = lambda done, total: None) -> None:
        self.on_read = on_read
        self.size = 0

    def __enter__(self) -> Ledger:
        # An empty name is a temporary file.
        self._file = sqlite3.connect("", isolation_level=None)
        self._file.executescript(CREATE)
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._file.close()

    def write(self, facts: Iterable[tuple[str, Fact]]) -> None:
        """Write facts, each with what it is about."""
        written = self._file.executemany(
            "INSERT INTO facts VALUES (?, ?, ?)",
            ((about, NUMBER[type(fact)], json.dumps(fact)) for about, fact in facts),
        )
        self.size += written.rowcount

    def read(self, prefix: str) -> Iterator[tuple[str, list[Fact]]]:
        """Each key with its facts, sorted by key."""
        rows = self._counted(
            "SELECT about, what, data FROM facts WHERE about >= ? AND about < ? ORDER BY about",
            (prefix, prefix.replace(":", ";")),
        )
        for about, found in groupby(rows, itemgetter(0)):
            yield (
                about.removeprefix(prefix),
                [FACTS[what](*json.loads(data)) for _, what, data in found],
            )

    def _counted(self, sql: str, params: Sequence[str]) -> Iterator[Any]:
        number = 0
        for number, row in enumerate(self._file.execute(sql, params), 1):
            if number % BATCH == 0:
                self.on_read(BATCH, self.size)
            yield row
        self.on_read(number % BATCH, self.size)

    def index(self) -> None:
        """Let ``known`` find payments by key. Call it when nothing is read."""
        self._file.execute("CREATE INDEX IF NOT EXISTS about ON facts (about)")

    def known(self, payments: Sequence[str]) -> set[str]:
        """The payments of these that this site has, or has reported."""
        found = self._find(
            "SELECT DISTINCT about FROM facts WHERE what IN (1, 2) AND about",
            [f"{PAYMENT}{key}" for key in payments],
        )
        return {about.removeprefix(PAYMENT) for (about,) in found}

    def remember_organic(self, customer_key: str, *, is_attributed: bool) -> None:
        """``is_attributed``: it should not be organic."""
        self._file.execute("INSERT OR REPLACE INTO organic VALUES (?, ?)", (customer_key, is_attributed))

    def organic(self, customer_keys: Sequence[str]) -> dict[str, bool]:
        """Which of these customers are organic, and whether they should not be."""
        found = self._find("SELECT customer, is_attributed FROM organic WHERE customer", customer_keys)
        return {customer: bool(is_attributed) for customer, is_attributed in found}

    def _find(self, select: str, values: Sequence[str]) -> sqlite3.Cursor:
        return self._file.execute(f"{select} IN ({', '.join('?' * len(values))})", values)

    def remember_unknown(self, payment: MirroredPayment) -> None:
        self._file.execute("INSERT INTO unknown VALUES (?)", (json.dumps(payment),))

    def unknown_payments(self) -> Iterator[MirroredPayment]:
        """The transactions that this site does not know."""
        for (data,) in self._file.execute("SELECT data FROM unknown ORDER BY rowid"):
            yield MirroredPayment(*json.loads(data))


def batched(rows: Iterable[T], size: int) -> Iterator[list[T]]:
    iterator = iter(rows)
    while batch := list(islice(iterator, size)):
        yield batch
