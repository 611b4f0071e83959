"""What this app does when the host's objects are saved, and when a message is queued."""

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
    Queue a message when an object of a registered model is saved; the host's save goes on whatever happens.

    Fixtures (``raw``) are not reported. With PARTNERSTACK_STRICT an error is raised into the save.
    """
    if raw or not (sources.find(sources.customers, sender) or sources.find(sources.transactions, sender)):
        return
    try:
        with _queries_apart(instance._state.db or router.db_for_write(sender)):
            track.report(instance, new=created)
    except Exception:
        if conf.strict:
            raise
        logger.exception("%s could not be queued for PartnerStack.", sources.label(instance))


@contextmanager
def _queries_apart(using: str) -> Iterator[None]:
    """
    Let no query of the site's source that fails spoil the transaction of the save.

    A savepoint before its first query; what is written of our own has one already, and needs no other.
    """
    points: list[str | None] = []

    def begin(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        if not points:
            points.append(None)  # To make a savepoint is a query, too.
            if connection.in_atomic_block and not str(sql).startswith("SAVEPOINT"):
                points[0] = transaction.savepoint(using)
        return execute(sql, *rest)

    connection = connections[using]
    try:
        with connection.execute_wrapper(begin):
            yield
    except Exception:
        if points and points[0]:
            transaction.savepoint_rollback(points[0], using)
        raise
    if points and points[0]:
        transaction.savepoint_commit(points[0], using)


def wake_worker(lane: str, **kwargs: Any) -> None:
    """Tell a worker, if the site wants that, of a message that was queued."""
    dispatch.wake(lane)
