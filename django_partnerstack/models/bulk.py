"""
Writing a page of rows in one statement, and finding rows by many keys.

The database expands the rows from one JSON parameter, which makes a first sync two to three times as fast as
Django's ``bulk_create`` (measured). ``bulk_create`` also has no condition on the update, which is needed to
keep an older version from overwriting a newer version.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from django.db import DataError, IntegrityError, connections, models
from django.db.models.expressions import RawSQL
from django.utils.timezone import make_naive


class BoundParam(str):
    """
    Placeholder compiled into the cached SQL and bound per call.

    Only for exact look-ups of text fields: other look-ups change the placeholder when they are compiled.
    """


@dataclass(frozen=True)
class Condition:
    """
    The WHERE of an INSERT.

    Compile it once and bind it per call: Django takes longer to compile it than PostgreSQL to execute it.
    """

    sql: str = "true"
    params: tuple[Any, ...] = ()

    def bind(self, values: Mapping[str, str]) -> Condition:
        """The condition with these values in place of its ``BoundParam`` placeholders."""
        params = (values[param] if isinstance(param, BoundParam) else param for param in self.params)
        return Condition(self.sql, tuple(params))


ALWAYS = Condition()

#: MySQL and MariaDB: "Duplicate entry … for key …".
DUPLICATE_ENTRY = 1062


@dataclass(frozen=True)
class Statement:
    """A statement that writes rows, with its parameters."""

    sql: str
    params: tuple[Any, ...]


def none_of(*querysets: models.QuerySet[Any], using: str) -> Condition:
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
    Insert rows if the condition is true; returns how many. ``rows``: dicts with the same columns.

    Raises ``DataError`` before anything is written if a text is too long for its column.
    """
    return _write(model, rows, f"WHERE {where.sql}", using, where.params)


def insert_once(model: type[models.Model], row: dict[str, Any], *, using: str) -> bool:
    """
    Insert a row, unless one with the same unique columns exists. Returns whether it was inserted.

    Reads nothing, so that it never makes a serializable transaction of another process fail. Any other error
    is raised; call it in a savepoint of the caller.
    """
    if connections[using].vendor != "mysql":
        return _execute(insertion_once(model, row, using=using), using) == 1
    try:
        return _execute(_insertion_of_values(model, row, using), using) == 1
    except IntegrityError as error:
        # INSERT IGNORE would also ignore texts that are too long, and more.
        if error.args[0] != DUPLICATE_ENTRY:
            raise
        return False


def _insertion_of_values(model: type[models.Model], row: dict[str, Any], using: str) -> Statement:
    """
    INSERT … VALUES, for MySQL and MariaDB.

    While an INSERT … SELECT waits for a transaction that has inserted the same, it locks the counter of the
    table's keys, so every other INSERT would wait as well, and often end in a deadlock (reported as 1467).
    """
    connection = connections[using]
    quote = connection.ops.quote_name
    _refuse_long_texts(model, tuple(row), [row])
    fields: list[Any] = [model._meta.get_field(name) for name in row]
    columns = ", ".join(quote(field.column) for field in fields)
    values = ", ".join(["%s"] * len(fields))
    return Statement(
        f"INSERT INTO {quote(model._meta.db_table)} ({columns}) VALUES ({values})",  # noqa: S608
        tuple(field.get_db_prep_save(row[field.name], connection) for field in fields),
    )


def combines_statements(using: str) -> bool:
    """Whether the database takes the statement of ``insert_after``."""
    return connections[using].vendor == "postgresql"


def insertion_once(
    model: type[models.Model], row: dict[str, Any], *, using: str, where: Condition = ALWAYS
) -> Statement:
    """Insert a row if the condition is true, unless one with the same unique columns exists."""
    return _compile(model, [row], f"WHERE {where.sql} ON CONFLICT DO NOTHING", using, where.params)


def insert_after(first: Statement, model: type[models.Model], row: dict[str, Any], *, using: str) -> bool:
    """
    Execute ``first``, and insert a row if it wrote one, in one round trip. Returns whether both wrote.

    Otherwise nothing was written. Only for databases of which ``combines_statements`` is true.
    """
    then = _compile(model, [row], "WHERE EXISTS (SELECT 1 FROM written)", using)
    both = Statement(f"WITH written AS ({first.sql} RETURNING 1) {then.sql}", (*first.params, *then.params))
    return _execute(both, using) == 1


def upsert(
    model: type[models.Model],
    rows: Sequence[dict[str, Any]],
    *,
    unique: Sequence[str],
    newer: str,
    using: str,
    where: Condition = ALWAYS,
) -> int:
    """
    Insert rows, or update the existing rows with the same ``unique`` columns, if the condition is true.

    Returns 0 if nothing was written. An existing row whose column ``newer`` is later is not changed. No two
    of ``rows`` may have the same unique columns. Sends no ``post_save``. Safe to repeat.

    Raises ``DataError`` before anything is written if a text is too long for its column.
    """
    conflict = _conflict(model, tuple(rows[0]), tuple(unique), newer, using)
    # There is always a WHERE, because SQLite would parse a bare ON CONFLICT as the ON of a join.
    return _write(model, rows, f"WHERE {where.sql} {conflict}", using, where.params)


@cache
def _conflict(
    model: type[models.Model], names: tuple[str, ...], unique: tuple[str, ...], newer: str, using: str
) -> str:
    connection = connections[using]
    quote = connection.ops.quote_name
    # The compared column comes last: MariaDB assigns from left to right and compares with assigned values.
    changing = [name for name in names if name not in {*unique, newer}] + [newer]
    table = quote(model._meta.db_table)
    stored = f"{table}.{quote(newer)}"
    if connection.vendor == "mysql":
        fresh = f"({stored} IS NULL OR VALUES({quote(newer)}) IS NULL OR {stored} <= VALUES({quote(newer)}))"
        updates = (f"{quote(c)} = IF({fresh}, VALUES({quote(c)}), {table}.{quote(c)})" for c in changing)
        return f"ON DUPLICATE KEY UPDATE {', '.join(updates)}"
    given = f"EXCLUDED.{quote(newer)}"
    updates = (f"{quote(c)} = EXCLUDED.{quote(c)}" for c in changing)
    return (
        f"ON CONFLICT ({', '.join(map(quote, unique))}) DO UPDATE SET {', '.join(updates)} "
        f"WHERE {stored} IS NULL OR {given} IS NULL OR {stored} <= {given}"
    )


def _write(
    model: type[models.Model],
    rows: Sequence[dict[str, Any]],
    rest: str,
    using: str,
    params: Sequence[Any] = (),
) -> int:
    return _execute(_compile(model, rows, rest, using, params), using)


def _execute(statement: Statement, using: str) -> int:
    with connections[using].cursor() as cursor:
        cursor.execute(statement.sql, statement.params)
        return cursor.rowcount


def _compile(
    model: type[models.Model],
    rows: Sequence[dict[str, Any]],
    rest: str,
    using: str,
    params: Sequence[Any] = (),
) -> Statement:
    connection = connections[using]
    names = tuple(rows[0])
    _refuse_long_texts(model, names, rows)
    naive = connection.vendor != "postgresql"

    def plain(value: Any) -> str:
        # Like adapt_datetimefield_value, which takes longer than the rest of a row together.
        return str(make_naive(value, connection.timezone) if naive and isinstance(value, datetime) else value)

    values = [[row[name] for name in names] for row in rows]
    # The rows of a page share a few times.
    text = json.dumps(values, default=cache(plain) if len(rows) > 1 else plain, allow_nan=False)
    return Statement(f"{_insertion(model, names, using)} {rest}", (text, *params))


def _refuse_long_texts(
    model: type[models.Model], names: tuple[str, ...], rows: Sequence[dict[str, Any]]
) -> None:
    """
    Raise the same error on every database.

    To expand JSON into columns of a length, PostgreSQL and MariaDB cut what is longer, without an error, and
    SQLite stores it. Column by column, because a check of each value would slow a sync down.
    """
    for name, limit in _limits(model, names):
        longest = _longest_text(row[name] for row in rows)
        if longest > limit:
            raise DataError(f"{model._meta.label}.{name} has {limit} characters, and the text has {longest}.")


def _longest_text(values: Iterable[Any]) -> int:
    column = list(values)
    try:
        return max(map(len, column))
    except TypeError:  # None, or a value that is stored as text.
        return max((len(str(value)) for value in column if value is not None), default=0)


@cache
def _limits(model: type[models.Model], names: tuple[str, ...]) -> list[tuple[str, int]]:
    fields = [(name, model._meta.get_field(name)) for name in names]
    return [
        (name, field.max_length)
        for name, field in fields
        if isinstance(field, models.CharField) and field.max_length is not None
    ]


@cache
def _insertion(model: type[models.Model], names: tuple[str, ...], using: str) -> str:
    """INSERT and SELECT. Table and column names come from the model, all values from the JSON parameter."""
    connection = connections[using]
    quote = connection.ops.quote_name
    fields: list[Any] = [model._meta.get_field(name) for name in names]
    columns = ", ".join(quote(field.column) for field in fields)
    kinds = [field.db_type(connection) for field in fields]
    return f"INSERT INTO {quote(model._meta.db_table)} ({columns}) {_expansion(connection.vendor, kinds)}"


def _expansion(vendor: str, kinds: Sequence[str]) -> str:
    """A SELECT that expands the JSON parameter, an array of arrays, to rows of these column types."""
    if vendor == "postgresql":
        # jsonb is parsed once, and its values go into jsonb columns without a cast.
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


def with_keys(rows: models.QuerySet[Any], mode: str, keys: Iterable[str]) -> models.QuerySet[Any]:
    """
    The ``rows`` of this mode that have one of these keys.

    PostgreSQL plans by statistics, which do not exist while a table is filled for the first time: it would
    scan all rows of the mode for each page. With a subquery for each key it can only use the index.
    """
    connection, wanted = connections[rows.db], list(keys)
    if connection.vendor == "sqlite":
        # One parameter: passing hundreds takes longer than looking them up.
        found = RawSQL("SELECT value FROM json_each(%s)", [json.dumps(wanted)])
        return rows.filter(mode=mode, key__in=found)
    if connection.vendor != "postgresql":
        return rows.filter(mode=mode, key__in=wanted)
    table = connection.ops.quote_name(rows.model._meta.db_table)
    # The table's name comes from the model.
    keyed = f"""
        SELECT mirror.id FROM json_array_elements_text(%s::json) AS wanted CROSS JOIN LATERAL (
            SELECT id FROM {table} WHERE mode = %s AND key = wanted.value LIMIT 1
        ) AS mirror
    """  # noqa: S608
    return rows.filter(pk__in=RawSQL(keyed, [json.dumps(wanted), mode]))  # noqa: S611
