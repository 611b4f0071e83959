"""What this app does when a host object is saved, and when a message is queued."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connections, models, router, transaction

from . import dispatch, sources, track
from .conf import conf

logger = logging.getLogger(__name__)


def report_saved(
    sender: type[models.Model], instance: models.Model, created: bool, raw: bool, **kwargs: Any
) -> None:
    """
    Report a saved object of a registered model. The host's save succeeds in any case.

    Fixtures (``raw``) are not reported. An error is logged; PARTNERSTACK_STRICT raises it into the save.
    """
    if raw or not (sources.find(sources.customers, sender) or sources.find(sources.transactions, sender)):
        return
    try:
        with _savepoint_on_first_query(instance._state.db or router.db_for_write(sender)):
            track.report(instance, new=created)
    except Exception:
        if conf.strict:
            raise
        logger.exception("%s could not be queued for PartnerStack.", sources.label(instance))


@contextmanager
def _savepoint_on_first_query(using: str) -> Iterator[None]:
    """
    Keep a failing query of the site's source from breaking the transaction of the save.

    A source without queries needs no savepoint: our own INSERT has one already.
    """
    savepoints: list[str | None] = []

    def begin(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        if not savepoints:
            savepoints.append(None)  # Creating a savepoint is a query, too.
            if connection.in_atomic_block and not str(sql).startswith("SAVEPOINT"):
                savepoints[0] = transaction.savepoint(using)
        return execute(sql, *rest)

    connection = connections[using]
    try:
        with connection.execute_wrapper(begin):
            yield
    except Exception:
        if savepoints and savepoints[0]:
            transaction.savepoint_rollback(savepoints[0], using)
        raise
    if savepoints and savepoints[0]:
        transaction.savepoint_commit(savepoints[0], using)


def wake_worker(lane: str, **kwargs: Any) -> None:
    """Have a queued message delivered soon, if PARTNERSTACK_DISPATCH asks for it."""
    dispatch.wake(lane)
