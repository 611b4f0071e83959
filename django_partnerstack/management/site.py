"""What must be right before a command begins, each said in one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management.base import CommandError
from django.db import DatabaseError, connections, models, router

from ..conf import conf
from ..models.mirror import Mode


def check_site(model: type[models.Model]) -> None:
    """Raises CommandError if the mode is none, or the model's table is not there."""
    if conf.mode not in Mode.values:
        raise CommandError(f"PARTNERSTACK_MODE is {conf.mode!r}; it must be 'test' or 'production'.")
    with database_answers():
        tables = connections[router.db_for_write(model)].introspection.table_names()
    if model._meta.db_table not in tables:
        raise CommandError("This app's tables are missing. Run: manage.py migrate partnerstack")


@contextmanager
def database_answers() -> Iterator[None]:
    """Raises CommandError if the database cannot be asked."""
    try:
        yield
    except DatabaseError as error:
        raise CommandError(f"The database cannot be reached: {in_one_line(error)}.") from error


def in_one_line(error: Exception) -> str:
    """What an error says, to be part of a sentence. Databases use several lines."""
    return " ".join(str(error).split()).rstrip(".")
