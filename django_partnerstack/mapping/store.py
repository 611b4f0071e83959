"""Storing records in their mirror: new ones are inserted, changed ones updated, all others left alone."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from operator import attrgetter
from typing import Any

from django.db import router, transaction
from django.db.models import Case, QuerySet, Value, When

from ..models import Customer, Mirror
from ..models.bulk import any_of, upsert, with_keys
from ..signals import objects_synced

#: The fields of a record whose columns have another name, because a row has times of its own.
RENAMED = {"created_at": "remote_created_at", "updated_at": "remote_updated_at"}


@dataclass
class Difference:
    """How records differ from their mirror. All lists hold records."""

    created: list[Any] = field(default_factory=list)
    updated: list[Any] = field(default_factory=list)
    unchanged: int = 0
    #: Placeholder rows of customers that PartnerStack now has: primary key of the row → key.
    adopted: dict[int, str] = field(default_factory=dict)


def compare(model: type[Mirror], records: Iterable[Any], *, mode: str) -> Difference:
    """
    Compare records with the mirror, in one query.

    A record that is older than its row counts as unchanged: a slow page must not undo a later one.
    """
    wanted = _newest_by_key(records)
    known, placeholders = _known(model, wanted, mode)
    difference = Difference()
    for key, record in wanted.items():
        row = known.get(key)
        if row is not None and not _is_change(record, *row):
            difference.unchanged += 1
        elif row is not None:
            difference.updated.append(record)
        elif placeholders and record.customer_key in placeholders:
            difference.adopted[placeholders.pop(record.customer_key)] = key
            difference.updated.append(record)
        else:
            difference.created.append(record)
    return difference


def store(model: type[Mirror], records: Iterable[Any], *, mode: str, now: datetime) -> Difference:
    """
    Write what differs from the mirror of one mode, all or nothing, and return the difference.

    Three queries at most. Safe to repeat and to run concurrently. Sends no ``post_save``, so nothing that was
    pulled is ever pushed; call ``announce`` after the commit.
    """
    difference = compare(model, records, mode=mode)
    changed = (*difference.created, *difference.updated)
    if not changed:
        return difference
    using = router.db_for_write(model)
    # compare() is outside: SQLite cannot wait for another writer in a transaction that has read first.
    with transaction.atomic(using, savepoint=False):
        if difference.adopted:
            keys = (When(pk=pk, then=Value(key)) for pk, key in difference.adopted.items())
            rows = model._base_manager.using(using).filter(pk__in=difference.adopted, key=None)
            rows.update(key=Case(*keys))
        _upsert(model, changed, mode, now, using)
    return difference


def store_one(model: type[Mirror], record: Any, *, mode: str, now: datetime) -> None:
    """
    Write a record that PartnerStack has just returned, in the caller's transaction. Safe to repeat.

    Only customers are compared first, because a placeholder row may be waiting for the key.
    """
    if model is Customer:
        store(model, [record], mode=mode, now=now)
    else:
        _upsert(model, [record], mode, now, router.db_for_write(model))


def _upsert(model: type[Mirror], records: Iterable[Any], mode: str, now: datetime, using: str) -> None:
    rows = [to_row(record, mode=mode, synced_at=now) for record in records]
    upsert(model, rows, unique=("mode", "key"), newer="remote_updated_at", using=using)


def to_row(record: Any, *, mode: str, synced_at: datetime) -> dict[str, Any]:
    """The columns of a record's mirror row. It is not missing, because PartnerStack has just sent it."""
    record_class: type = type(record)
    columns, values = _columns(record_class)
    row = dict(zip(columns, values(record), strict=True))
    row.update(mode=mode, missing_since=None, synced_at=synced_at)
    return row


@cache
def _columns(record_class: type) -> tuple[tuple[str, ...], attrgetter[tuple[Any, ...]]]:
    """The columns that a record fills, and what gets their values from it."""
    names = [field.name for field in dataclasses.fields(record_class)]
    return tuple(RENAMED.get(name, name) for name in names), attrgetter(*names)


def announce(model: type[Mirror], difference: Difference, *, mode: str) -> None:
    """Send ``objects_synced`` if anything was written. Errors of receivers are logged."""
    if difference.created or difference.updated:
        objects_synced.send_robust(
            sender=model,
            mode=mode,
            created=[record.key for record in difference.created],
            updated=[record.key for record in difference.updated],
            unchanged=difference.unchanged,
        )


def _newest_by_key(records: Iterable[Any]) -> dict[str, Any]:
    """A list that changed while it was read can contain an object twice."""
    newest: dict[str, Any] = {}
    for record in records:
        twin = newest.setdefault(record.key, record)
        if twin is not record and not _is_older(record.updated_at, twin.updated_at):
            newest[record.key] = record
    return newest


def _known(
    model: type[Mirror], wanted: dict[str, Any], mode: str
) -> tuple[dict[str, tuple[Any, ...]], dict[str, int]]:
    """By key, the columns that ``_is_change`` compares; by customer key, the placeholder rows."""
    rows: QuerySet[Any] = model._base_manager.using(router.db_for_write(model)).order_by()
    with_key = with_keys(rows, mode, wanted)
    columns: tuple[str, ...] = ("key", "remote_updated_at", "missing_since", "raw")
    if model is not Customer:
        return {key: tuple(row) for key, *row in with_key.values_list(*columns)}, {}
    # A union, because databases read the whole table for one WHERE with OR.
    customer_keys = {record.customer_key for record in wanted.values() if record.customer_key}
    without_key = rows.filter(mode=mode, key=None, customer_key__in=any_of(customer_keys, rows.db))
    columns += ("pk", "customer_key")
    # Since Django 6.1 a union has the model's ordering unless it is cleared.
    found = with_key.values_list(*columns).union(without_key.values_list(*columns), all=True).order_by()
    known: dict[str, tuple[Any, ...]] = {}
    placeholders: dict[str, int] = {}
    for key, *row, pk, customer_key in found:
        if key is None:
            placeholders[customer_key] = min(pk, placeholders.get(customer_key, pk))
        else:
            known[key] = tuple(row)
    return known, placeholders


def _is_change(record: Any, updated_at: datetime | None, missing_since: datetime | None, raw: Any) -> bool:
    if _is_older(record.updated_at, updated_at):
        return False
    return missing_since is not None or raw != record.raw


def _is_older(one: datetime | None, other: datetime | None) -> bool:
    return one is not None and other is not None and one < other
