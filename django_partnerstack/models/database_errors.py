"""Errors of the database that end the site's transaction, so that nothing more can be saved in it."""

from __future__ import annotations

from django.db import connections

#: PostgreSQL: serialization failure, deadlock, aborted transaction, and the classes of a lost connection.
ENDING_STATES = ("40001", "40P01", "25P02", "08", "57P")

#: MySQL and MariaDB: a deadlock, and a lost connection. They roll back the whole transaction.
ENDING_NUMBERS = frozenset({1213, 2006, 2013})


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
