"""Putting records into their mirror: new ones are inserted, changed ones updated, the rest left alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import router, transaction
from django.db.models import Case, QuerySet, Value, When

from ..models import Customer, Mirror
from ..models.bulk import any_of, upsert, with_keys
from ..signals import objects_synced
from .rows import to_row


@dataclass
class Difference:
    """What PartnerStack has and the mirror has not: records by what must be done about them."""

    created: list[Any] = field(default_factory=list)
    updated: list[Any] = field(default_factory=list)
    unchanged: int = 0
    #: Customers that this site made and that come back for the first time: primary key → key.
    adopted: dict[int, str] = field(default_factory=dict)


def compare(model: type[Mirror], records: Iterable[Any], *, mode: str) -> Difference:
    """
    ResourceLease records against the mirror, in one query.

    A record that is older than its row counts as unchanged: a slow page must not undo a later one.
    """
    wanted = _newest_by_key(records)
    known, ours = _known(model, wanted, mode)
    difference = Difference()
    for key, record in wanted.items():
        row = known.get(key)
        if row is not None and not _is_news(record, *row):
            difference.unchanged += 1
        elif row is not None:
            difference.updated.append(record)
        elif ours and record.customer_key in ours:
            difference.adopted[ours.pop(record.customer_key)] = key
            difference.updated.append(record)
        else:
            difference.created.append(record)
    return difference


def store(model: type[Mirror], records: Iterable[Any], *, mode: str, now: datetime) -> Difference:
    """
    Bring the mirror of one mode up to these records, all or none, and say what was written.

    Three queries at most. Safe to repeat and to run beside another. Sends no ``post_save``, so that nothing
    that was pulled is ever pushed; call ``announce`` when the transaction is committed.
    """
    using = router.db_for_write(model)
    difference = compare(model, records, mode=mode)
    changed = (*difference.created, *difference.updated)
    if not changed:
        return difference
    # Compared before it begins: SQLite cannot wait for others in a transaction that has read first.
    with transaction.atomic(using, savepoint=False):
        if difference.adopted:
            keys = (When(pk=pk, then=Value(key)) for pk, key in difference.adopted.items())
            rows = model._base_manager.using(using).filter(pk__in=difference.adopted, key=None)
            rows.update(key=Case(*keys))
        upsert(
            model,
            [to_row(record, mode=mode, synced_at=now) for record in changed],
            unique=("mode", "key"),
            newer="remote_updated_at",
            using=using,
        )
    return difference


def keep(model: type[Mirror], record: Any, *, mode: str, now: datetime) -> None:
    """
    Bring the mirror up to one record that PartnerStack has just answered with, in the caller's transaction.

    Only customers are compared first, because one of this site's own may be waiting for its key. Safe to
    repeat.
    """
    if model is Customer:
        store(model, [record], mode=mode, now=now)
        return
    using = router.db_for_write(model)
    rows = [to_row(record, mode=mode, synced_at=now)]
    upsert(model, rows, unique=("mode", "key"), newer="remote_updated_at", using=using)


def announce(model: type[Mirror], difference: Difference, *, mode: str) -> None:
    """Send ``objects_synced`` for what was written. An error in a receiver is logged and stops nobody."""
    if difference.created or difference.updated:
        objects_synced.send_robust(
            sender=model,
            mode=mode,
            created=[record.key for record in difference.created],
            updated=[record.key for record in difference.updated],
            unchanged=difference.unchanged,
        )


def _newest_by_key(records: Iterable[Any]) -> dict[str, Any]:
    """A list that moved while it was read can hold an object twice."""
    newest: dict[str, Any] = {}
    for record in records:
        twin = newest.setdefault(record.key, record)
        if twin is not record and not _is_older(record.updated_at, twin.updated_at):
            newest[record.key] = record
    return newest


def _known(
    model: type[Mirror], wanted: dict[str, Any], mode: str
) -> tuple[dict[str, tuple[Any, ...]], dict[str, int]]:
    """What the mirror has of these keys, and this site's own customers that have no key yet."""
    rows: QuerySet[Any] = model._base_manager.using(router.db_for_write(model)).order_by()
    theirs = with_keys(rows, mode, wanted)
    columns: tuple[str, ...] = ("key", "remote_updated_at", "missing_since", "raw")
    if model is not Customer:
        return {key: tuple(row) for key, *row in theirs.values_list(*columns)}, {}
    # Not one WHERE with OR, for which databases read the whole table.
    customer_keys = {record.customer_key for record in wanted.values() if record.customer_key}
    ours = rows.filter(mode=mode, key=None, customer_key__in=any_of(customer_keys, rows.db))
    columns += ("pk", "customer_key")
    # Since Django 6.1 a union is in the model's order unless it is told not to be.
    found = theirs.values_list(*columns).union(ours.values_list(*columns), all=True).order_by()
    known: dict[str, tuple[Any, ...]] = {}
    unadopted: dict[str, int] = {}
    for key, *row, pk, customer_key in found:
        if key is None:
            unadopted[customer_key] = min(pk, unadopted.get(customer_key, pk))
        else:
            known[key] = tuple(row)
    return known, unadopted


def _is_news(record: Any, updated_at: datetime | None, missing_since: datetime | None, raw: Any) -> bool:
    if _is_older(record.updated_at, updated_at):
        return False
    return missing_since is not None or raw != record.raw


def _is_older(one: datetime | None, other: datetime | None) -> bool:
    return one is not None and other is not None and one < other
