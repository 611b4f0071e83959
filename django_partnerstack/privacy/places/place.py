"""Finding the rows of a person in one table, and rewriting or deleting them in chunks."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

from django.db import models, router, transaction
from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast

from ...identity.addresses import forms
from ..person import Person

#: Rows that are written in one transaction.
CHUNK = 500

#: The rows of a table that may be about a person.
Rows = Callable[[Person], QuerySet[Any]]
#: The new values of columns of a row; empty if it is about somebody else. None: the row is deleted.
Change = Callable[[Any, Person], dict[str, Any] | None]


@dataclass(frozen=True)
class Place:
    rows: Rows
    change: Change

    def erase(self, person: Person) -> tuple[str, int]:
        """Erase what the place has of a person. Returns the name of its rows, and how many were changed."""
        rows = self.rows(person)
        changed, last = 0, 0
        while chunk := list(rows.filter(pk__gt=last).order_by("pk")[:CHUNK]):
            last = chunk[-1].pk
            changed += self._erase(chunk, rows, person)
        return str(rows.model._meta.verbose_name_plural), changed

    def _erase(self, chunk: list[Any], rows: QuerySet[Any], person: Person) -> int:
        names: set[str] = set()
        written, deleted = [], []
        for row in chunk:
            columns = self.change(row, person)
            if columns is None:
                deleted.append(row.pk)
                continue
            different = {name: value for name, value in columns.items() if getattr(row, name) != value}
            for name, value in different.items():
                setattr(row, name, value)
            names |= different.keys()
            written += [row] if different else []
        manager = rows.model._base_manager.using(rows.db)
        with transaction.atomic(rows.db):
            if written:
                manager.bulk_update(written, sorted(names), batch_size=100)
            if deleted:
                manager.filter(pk__in=deleted).delete()
        return len(written) + len(deleted)


def of_mode(model: type[models.Model], person: Person) -> QuerySet[Any]:
    return model._base_manager.using(router.db_for_write(model)).filter(mode=person.mode)


def with_text(rows: QuerySet[Any], *columns: str) -> QuerySet[Any]:
    return rows.alias(**{f"{column}_text": Cast(column, TextField()) for column in columns})


def with_address(column: str, person: Person) -> Q:
    """
    The condition that a column, which may be JSON, may contain an address of the person; see ``with_text``.

    It may be a part of a longer address: only ``Person.has_address_in`` tells.
    """
    return _containing(column, {form for email in person.emails for form in forms(email)})


def with_any(column: str, texts: Iterable[str]) -> Q:
    """The condition that a column, which may be JSON, contains one of the texts; see ``with_text``."""
    return _containing(column, {each for text in texts for each in (text, json.dumps(text)[1:-1])})


def _containing(column: str, texts: set[str]) -> Q:
    conditions = [Q(**{f"{column}_text__icontains": text}) for text in sorted(texts)]
    return reduce(or_, conditions, Q(pk=None))
