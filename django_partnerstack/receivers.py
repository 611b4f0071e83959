"""Signal receivers: report saved objects of the site, and wake a worker for queued messages."""

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
    Report a saved object of a registered model. An error is logged, so the host's save still succeeds.

    Does not report fixtures (``raw``). With PARTNERSTACK_STRICT an error is raised into the save.
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
    Roll back only the source's queries if one of them fails, not the transaction of the save.

    A source without queries needs no savepoint: the INSERT of the message has one.
    """
    savepoints: list[str | None] = []

    def begin(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        if not savepoints:
            savepoints.append(None)  # Creating a savepoint is a query as well.
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
    """Wake a worker for a queued message, as PARTNERSTACK_DISPATCH says."""
    dispatch.wake(lane)
