"""Writing down what an attempt came to, if the message is still this worker's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.db import router, transaction
from django.db.models import F

from ..mapping import keep
from ..models import Customer, OutboxLane, OutboxMessage, State
from .claim import Claimed
from .followers import STUCK, block
from .line import Line
from .operations import OPERATIONS, Operation
from .outcome import Outcome


def finish(line: Line, claimed: Claimed, outcome: Outcome) -> bool:
    """
    Write the outcome down in one transaction; False if the lease has ended and somebody else has the message.

    What came back goes into the mirror. The lane is due when the message is to be tried again; after a
    delivery, at the next claim. If others need what the message was to make, they are blocked.
    """
    message, now = claimed.message, line.clock.now()
    operation = OPERATIONS.get(message.operation)
    with _transaction(line, operation, outcome):
        using = router.db_for_write(OutboxMessage)
        mine = OutboxMessage.objects.using(using).filter(
            pk=message.pk, token=claimed.token, state=State.SENDING
        )
        if not mine.update(**_columns(message, outcome, now)):
            return False
        if outcome.state == State.DELIVERED and operation is not None:
            _mirror(operation, message, outcome, line.mode, using, now)
        else:
            lane = OutboxLane.objects.using(using).filter(mode=line.mode, key=message.lane)
            lane.update(due_at=outcome.again_at or now)
        if outcome.state in STUCK and operation is not None:
            block(message, using)
    if outcome.state == State.DELIVERED:
        line.delivered(message.lane, claimed.lease_until)
    return True


@contextmanager
def _transaction(line: Line, operation: Operation | None, outcome: Outcome) -> Iterator[None]:
    """Blocking others must not cross with messages that are being taken in; the rest need not wait."""
    if outcome.state in STUCK and operation is not None and operation.awaited:
        with line.locked():
            yield
    else:
        with transaction.atomic(router.db_for_write(OutboxMessage), durable=True):
            yield


def _columns(message: OutboxMessage, outcome: Outcome, now: datetime) -> dict[str, Any]:
    """What is to be written: only what changes, which is half of it for a delivery."""
    waiting = outcome.state in (State.READY, State.UNKNOWN)
    columns = {
        "state": outcome.state,
        "reason": outcome.reason,
        "token": "",
        "next_try_at": outcome.again_at,
        "in_doubt_since": outcome.in_doubt_since,
        "first_doubt_at": message.first_doubt_at or outcome.in_doubt_since,
        "finished_at": None if waiting else now,
        "response": outcome.record.raw if outcome.record is not None else message.response,
        "attempts": message.attempts if outcome.spent else F("attempts") - 1,
    }
    return {name: value for name, value in columns.items() if getattr(message, name) != value}


def _mirror(
    operation: Operation, message: OutboxMessage, outcome: Outcome, mode: str, using: str, now: datetime
) -> None:
    if operation.model is None:
        return
    if outcome.record is not None:
        keep(operation.model, outcome.record, mode=mode, now=now)
    elif operation.removes:
        name = "customer_key" if operation.model is Customer else "key"
        rows = operation.model._base_manager.using(using).filter(mode=mode, **{name: message.payload[name]})
        rows.update(archived=True)
