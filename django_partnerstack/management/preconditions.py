"""What a command needs before it begins. An error is one line that says what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management.base import CommandError
from django.db import DatabaseError, connections, models, router
from django.utils.translation import gettext_lazy as _

from ..conf import conf
from ..models.mirror import Mode

PUSH_DISABLED = _("PARTNERSTACK_PUSH_ENABLED is False: messages are queued, nothing is sent.")


def require_mode_and_table(model: type[models.Model]) -> None:
    """Raises CommandError if the mode is invalid, or if the model's table does not exist."""
    require_mode()
    with database_errors_in_one_line():
        tables = connections[router.db_for_write(model)].introspection.table_names()
    if model._meta.db_table not in tables:
        raise CommandError("This app's tables are missing. Run: manage.py migrate partnerstack")


def require_mode() -> None:
    """Raises CommandError if the mode is invalid."""
    if conf.mode not in Mode.values:
        raise CommandError(f"PARTNERSTACK_MODE is {conf.mode!r}; it must be 'test' or 'production'.")


@contextmanager
def database_errors_in_one_line() -> Iterator[None]:
    """Raises a CommandError instead of a database error."""
    try:
        yield
    except DatabaseError as error:
        raise CommandError(f"The database cannot be reached: {in_one_line(error)}.") from error


def in_one_line(error: Exception) -> str:
    """The text of an error as a part of a sentence. Databases use several lines."""
    return " ".join(str(error).split()).rstrip(".")
