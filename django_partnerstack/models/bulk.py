"""
One statement that writes a page of rows, whatever it holds.

The rows travel as one JSON parameter that the database takes apart itself. Measured against Django's
``bulk_create`` this is what makes a first load two to three times as fast; and ``bulk_create`` has no
condition on the update, which keeps an older version from overwriting a newer one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from django.db import connections, models
from django.db.models.expressions import RawSQL
from django.utils.timezone import make_naive


class BoundParam(str):
    """
    In a queryset of a condition that is compiled once: the name of a text that is given each time.

    Only for a field of text that is to be equal to it: others take the name itself for what they look for.
    """


@dataclass(frozen=True)
class Condition:
    """A condition of an INSERT. To compile it takes Django longer than PostgreSQL to carry it out."""

    sql: str = "true"
    params: tuple[Any, ...] = ()

    def bind(self, values: Mapping[str, str]) -> Condition:
        """With these values in place of their names."""
        params = (values[param] if isinstance(param, BoundParam) else param for param in self.params)
        return Condition(self.sql, tuple(params))


ALWAYS = Condition()


def none_of(*querysets: models.QuerySet[Any], using: str) -> Condition:
    """That none of the querysets finds anything."""
    compiled = [queryset.order_by().values("pk").query.get_compiler(using).as_sql() for queryset in querysets]
    return Condition(
        " AND ".join(f"NOT EXISTS ({sql})" for sql, _ in compiled) or "true",
        tuple(param for _, params in compiled for param in params),
    )


def insert(
    model: type[models.Model],
    rows: Sequence[dict[str, Any]],
    *,
    using: str,
    where: Condition = ALWAYS,
) -> int:
    """
    Insert rows, given as dicts of all their columns, if the condition holds.

    Returns how many rows were inserted.
    """
    return _write(model, rows, f"WHERE {where.sql}", using, where.params)


def upsert(
    model: type[models.Model],
    rows: Sequence[dict[str, Any]],
    *,
    unique: Sequence[str],
    newer: str,
    using: str,
) -> None:
    """
    Insert rows, or update those that exist by the ``unique`` columns.

    A row that is newer by its column ``newer`` stays as it is. No two of ``rows`` may share
    the unique columns. Sends no ``post_save``. Safe to repeat.
    """
    conflict = _conflict(model, tuple(rows[0]), tuple(unique), newer, using)
    # With a WHERE, because SQLite would read the ON of a bare ON CONFLICT as a join's.
    _write(model, rows, f"WHERE true {conflict}", using)


@cache
def _conflict(
    model: type[models.Model], names: tuple[str, ...], unique: tuple[str, ...], newer: str, using: str
) -> str:
    connection = connections[using]
    quote = connection.ops.quote_name
    # The column that is compared comes last: MariaDB assigns from left to right and compares as it goes.
    changing = [name for name in names if name not in {*unique, newer}] + [newer]
    table = quote(model._meta.db_table)
    theirs = f"{table}.{quote(newer)}"
    if connection.vendor == "mysql":
        fresh = f"({theirs} IS NULL OR VALUES({quote(newer)}) IS NULL OR {theirs} <= VALUES({quote(newer)}))"
        updates = (f"{quote(c)} = IF({fresh}, VALUES({quote(c)}), {table}.{quote(c)})" for c in changing)
        return f"ON DUPLICATE KEY UPDATE {', '.join(updates)}"
    ours = f"EXCLUDED.{quote(newer)}"
    updates = (f"{quote(c)} = EXCLUDED.{quote(c)}" for c in changing)
    return (
        f"ON CONFLICT ({', '.join(map(quote, unique))}) DO UPDATE SET {', '.join(updates)} "
        f"WHERE {theirs} IS NULL OR {ours} IS NULL OR {theirs} <= {ours}"
    )


def _write(
    model: type[models.Model],
    rows: Sequence[dict[str, Any]],
    rest: str,
    using: str,
    params: Sequence[Any] = (),
) -> int:
    connection = connections[using]
    names = tuple(rows[0])
    statement = f"{_insertion(model, names, using)} {rest}"
    naive = connection.vendor != "postgresql"

    @cache
    def plain(value: Any) -> str:
        # As adapt_datetimefield_value does, which takes longer than all the rest of a row.
        return str(make_naive(value, connection.timezone) if naive and isinstance(value, datetime) else value)

    values = [[row[name] for name in names] for row in rows]
    with connection.cursor() as cursor:
        cursor.execute(statement, [json.dumps(values, default=plain, allow_nan=False), *params])
        return cursor.rowcount


@cache
def _insertion(model: type[models.Model], names: tuple[str, ...], using: str) -> str:
    """Table and column names come from the models, the values from the one parameter."""
    connection = connections[using]
    quote = connection.ops.quote_name
    fields: list[Any] = [model._meta.get_field(name) for name in names]
    columns = ", ".join(quote(field.column) for field in fields)
    kinds = [field.db_type(connection) for field in fields]
    return f"INSERT INTO {quote(model._meta.db_table)} ({columns}) {_expansion(connection.vendor, kinds)}"


def _expansion(vendor: str, kinds: Sequence[str]) -> str:
    """A SELECT that turns the JSON parameter, an array of arrays, into rows of these types."""
    if vendor == "postgresql":
        # jsonb and not json: it is read once, and what goes into a jsonb column is in it as it must be.
        parts = [
            f"NULLIF(value->{place}, 'null')" if kind == "jsonb" else f"(value->>{place})::{kind}"
            for place, kind in enumerate(kinds)
        ]
        return f"SELECT {', '.join(parts)} FROM jsonb_array_elements(%s::jsonb)"  # noqa: S608
    if vendor == "mysql":
        typed = ", ".join(f"c{place} {kind} PATH '$[{place}]'" for place, kind in enumerate(kinds))
        parts = [f"page.c{place}" for place in range(len(kinds))]
        return f"SELECT {', '.join(parts)} FROM JSON_TABLE(%s, '$[*]' COLUMNS ({typed})) AS page"  # noqa: S608
    parts = [f"json_extract(value, '$[{place}]')" for place in range(len(kinds))]
    return f"SELECT {', '.join(parts)} FROM json_each(%s)"  # noqa: S608


def any_of(values: Iterable[str], using: str) -> Any:
    """
    What stands behind ``__in`` for any of these texts.

    One parameter where it can be: hundreds of them take longer to pass on than to look up.
    """
    vendor = connections[using].vendor
    if vendor == "postgresql":
        return RawSQL("SELECT value FROM json_array_elements_text(%s::json)", [json.dumps(list(values))])
    if vendor == "sqlite":
        return RawSQL("SELECT value FROM json_each(%s)", [json.dumps(list(values))])
    return list(values)


def with_keys(rows: models.QuerySet[Any], mode: str, keys: Iterable[str]) -> models.QuerySet[Any]:
    """
    Those of ``rows`` that are of this mode and have one of these keys.

    PostgreSQL chooses by statistics how to find them, and has none while a table is filled for the first
    time: it would read all rows of the mode for each page. A subquery for each key leaves it the index only.
    """
    connection = connections[rows.db]
    if connection.vendor != "postgresql":
        return rows.filter(mode=mode, key__in=any_of(keys, rows.db))
    table = connection.ops.quote_name(rows.model._meta.db_table)
    # The table's name comes from the model.
    found = f"""
        SELECT mirror.id FROM json_array_elements_text(%s::json) AS wanted CROSS JOIN LATERAL (
            SELECT id FROM {table} WHERE mode = %s AND key = wanted.value LIMIT 1
        ) AS mirror
    """  # noqa: S608
    return rows.filter(pk__in=RawSQL(found, [json.dumps(list(keys)), mode]))  # noqa: S611
