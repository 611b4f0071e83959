"""Isolation: a message that cannot be sequenced fails alone."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.db import DataError, InterfaceError, OperationalError, transaction
from django.utils import timezone

from .... import telemetry
from ....mapping import storable
from ....models import LaneStatus, OutboxLane, OutboxMessage, State
from ....signals import push_failed
from ..new_message import CUSTOMER

logger = logging.getLogger(__name__)

#: MySQL's and MariaDB's numbers of errors about a value, which some drivers raise as OperationalError: too
#: long, out of range, wrong for the column or its character set, cannot be converted.
ABOUT_VALUES = frozenset({1264, 1366, 1406, 3988})


def is_about_database(error: Exception) -> bool:
    """Whether the database itself fails, so that a retry may help; otherwise it refuses a value."""
    number = error.args[0] if error.args else None
    return isinstance(error, (OperationalError, InterfaceError)) and number not in ABOUT_VALUES


def isolated(pks: list[int], using: str, sequence: Callable[[list[int]], None]) -> None:
    """
    Sequence these messages, in order. If that fails, sequence each half, down to the messages that cannot be
    sequenced; these fail.

    Raises errors of the database itself.
    """
    if not pks:
        return
    try:
        with transaction.atomic(using):
            sequence(pks)
    except Exception as error:
        if is_about_database(error):
            raise
        if len(pks) == 1:
            _fail(pks[0], error, using)
            return
        middle = len(pks) // 2
        isolated(pks[:middle], using, sequence)
        isolated(pks[middle:], using, sequence)


def _fail(pk: int, error: Exception, using: str) -> None:
    """Without reading the content, which may be the cause. The lane is for an operator's retry."""
    rows = OutboxMessage.objects.using(using).filter(pk=pk)
    mode, lane, operation, key = rows.values_list("mode", "lane", "operation", "subject").get()
    logged = telemetry.fields(OutboxMessage(pk=pk, mode=mode, operation=operation, subject=key))
    logger.error("Message %s could not be sequenced.", pk, exc_info=error, extra=logged)
    reason = storable(f"It could not be sequenced: {type(error).__name__}: {error}")
    rows.update(state=State.FAILED, reason=reason, finished_at=timezone.now())
    status = LaneStatus.NEW if lane.startswith(CUSTOMER) else LaneStatus.OPEN
    try:
        OutboxLane.objects.using(using).get_or_create(mode=mode, key=lane, defaults={"status": status})
    except DataError:
        logger.exception("The database refuses the lane of message %s.", pk, extra=logged)
    about = {"mode": mode, "operation": operation, "key": key, "message": pk}
    transaction.on_commit(
        lambda: push_failed.send_robust(
            sender=OutboxMessage, state=str(State.FAILED), reason=reason, **about
        ),
        using,
        robust=True,
    )
