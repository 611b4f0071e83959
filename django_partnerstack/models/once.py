"""Statements in the site's transaction: an INSERT that a duplicate does not fail, and errors that end it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from django.db import IntegrityError, connections, models

#: MySQL and MariaDB: "Duplicate entry … for key …".
DUPLICATE_ENTRY = 1062

#: PostgreSQL: serialization failure, deadlock, aborted transaction, and the classes of a lost connection.
ENDING_STATES = ("40001", "40P01", "25P02", "08", "57P")

#: MySQL and MariaDB: a deadlock, and a lost connection. They roll back the whole transaction.
ENDING_NUMBERS = frozenset({1213, 2006, 2013})


def insert_once(model: type[models.Model], row: Mapping[str, Any], *, using: str) -> bool:
    """
    Insert a row, unless one with the same unique columns exists. Returns whether it was inserted.

    Reads nothing, so that it never makes a serializable transaction of another process fail. Any other error
    is raised; call it in a savepoint of the caller.
    """
    connection = connections[using]
    statement, fields = _statement(model, tuple(row), using)
    values = [field.get_db_prep_save(row[field.name], connection) for field in fields]
    with connection.cursor() as cursor:
        try:
            cursor.execute(statement, values)
        except IntegrityError as error:
            # INSERT IGNORE would also ignore texts that are too long, and more.
            if connection.vendor != "mysql" or error.args[0] != DUPLICATE_ENTRY:
                raise
            return False
        return cursor.rowcount == 1


@cache
def _statement(model: type[models.Model], names: tuple[str, ...], using: str) -> tuple[str, list[Any]]:
    connection = connections[using]
    quote = connection.ops.quote_name
    fields: list[Any] = [model._meta.get_field(name) for name in names]
    columns = ", ".join(quote(field.column) for field in fields)
    marks = ", ".join(["%s"] * len(fields))
    rest = "" if connection.vendor == "mysql" else " ON CONFLICT DO NOTHING"
    # Names come from the model, values are parameters.
    return f"INSERT INTO {quote(model._meta.db_table)} ({columns}) VALUES ({marks}){rest}", fields  # noqa: S608


def ends_transaction(error: BaseException) -> bool:
    """
    Whether the database ended the transaction that the caller is in, so that nothing more can be saved in it.

    Such an error must reach whoever began the transaction. Any other error is undone by a savepoint.
    """
    open_now = [each for each in connections.all(initialized_only=True) if each.in_atomic_block]
    if not open_now:
        return False
    # Django sets this when it cannot roll back to a savepoint, because its transaction is gone.
    if any(connection.needs_rollback or connection.closed_in_transaction for connection in open_now):
        return True
    return any(_is_ending(each) for each in (error, error.__cause__) if each is not None)


def _is_ending(error: BaseException) -> bool:
    state = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None)
    if state:
        return str(state).startswith(ENDING_STATES)
    number = error.args[0] if error.args else None
    return isinstance(number, int) and number in ENDING_NUMBERS
