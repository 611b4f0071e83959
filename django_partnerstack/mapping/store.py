"""Store records in their mirror: insert new records, update changed records, and skip the others."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from operator import attrgetter
from typing import Any

from django.db import router
from django.db.models import QuerySet

from ..client.fields import has_column
from ..identity.tombstones import newest, nobody_since
from ..models import Mirror
from ..models.bulk import ALWAYS, Condition, upsert, with_keys
from ..signals import objects_synced
from .kept_fields import KEPT, without_forgotten
from .text import storable

#: The fields of a record whose columns have another name, because a row has times of its own.
RENAMED = {"created_at": "remote_created_at", "updated_at": "remote_updated_at"}


@dataclass
class Difference:
    """How records differ from their mirror. All lists contain records."""

    created: list[Any] = field(default_factory=list)
    updated: list[Any] = field(default_factory=list)
    unchanged: int = 0


def compare(model: type[Mirror], records: Iterable[Any], *, mode: str) -> Difference:
    """
    Compare records with the mirror, in one query.

    A record that is older than its row counts as unchanged: a slow page must not undo a later page.
    """
    wanted = _newest_by_key(records)
    rows: QuerySet[Any] = model._base_manager.using(router.db_for_write(model)).order_by()
    columns = with_keys(rows, mode, wanted).values_list("key", "remote_updated_at", "missing_since", "raw")
    known = {key: row for key, *row in columns}
    difference = Difference()
    for key, record in wanted.items():
        row = known.get(key)
        if row is not None and not _is_change(record, *row):
            difference.unchanged += 1
        elif row is not None:
            difference.updated.append(record)
        else:
            difference.created.append(record)
    return difference


def store(model: type[Mirror], records: Iterable[Any], *, mode: str, now: datetime) -> Difference:
    """
    Write what differs from the mirror of one mode, all or nothing, and return the difference.

    Two queries, and a few more for what concerns forgotten customers: nothing personal is stored about them.
    Safe to repeat and to run concurrently. Sends no ``post_save``, so nothing that was
    pulled is ever pushed; call ``announce`` after the commit.
    """
    found, using, known = list(records), router.db_for_write(model), 0
    while True:
        difference = compare(model, found, mode=mode)
        changed = (*difference.created, *difference.updated)
        nobody = nobody_since(known, mode, using) if model in KEPT else ALWAYS
        if not changed or _upsert(model, changed, mode, now, nobody) or nobody is ALWAYS:
            return difference
        # Nothing was written, perhaps because somebody was forgotten.
        if (last := newest(mode, using)) == known:
            return difference
        known, found = last, without_forgotten(model, found, mode=mode, using=using)


def store_one(model: type[Mirror], record: Any, *, mode: str, now: datetime) -> None:
    """
    Write a record that PartnerStack has just returned, in one query. Safe to repeat.

    Of a forgotten customer, give it ``record_without_person``.
    """
    _upsert(model, [record], mode, now)


def _upsert(
    model: type[Mirror], records: Iterable[Any], mode: str, now: datetime, where: Condition = ALWAYS
) -> int:
    rows = [to_row(record, mode=mode, synced_at=now) for record in records]
    using = router.db_for_write(model)
    return upsert(model, rows, unique=("mode", "key"), newer="remote_updated_at", using=using, where=where)


def to_row(record: Any, *, mode: str, synced_at: datetime) -> dict[str, Any]:
    """The columns of a record's mirror row. It is not missing, because PartnerStack has just sent it."""
    record_class: type = type(record)
    columns, values = _columns(record_class)
    row = dict(zip(columns, map(storable, values(record)), strict=True))
    row.update(mode=mode, missing_since=None, synced_at=synced_at)
    return row


@cache
def _columns(record_class: type) -> tuple[tuple[str, ...], attrgetter[tuple[Any, ...]]]:
    """The columns that a record fills, and a function that gets their values."""
    names = [field.name for field in dataclasses.fields(record_class) if has_column(field)]
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


def _is_change(record: Any, updated_at: datetime | None, missing_since: datetime | None, raw: Any) -> bool:
    if _is_older(record.updated_at, updated_at):
        return False
    return missing_since is not None or (raw != record.raw and raw != storable(record.raw))


def _is_older(time: datetime | None, other: datetime | None) -> bool:
    return time is not None and other is not None and time < other
