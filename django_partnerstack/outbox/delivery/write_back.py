"""Writing the outcome of an attempt back: message, record of the attempt, lane, mirror and mode evidence."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db import Error, router, transaction
from django.db.models import F

from ...mapping import record_without_person, storable, store_one
from ...mapping.kept_fields import KEPT
from ...models import Attempt, AttemptOutcome, Mirror, OutboxLane, OutboxMessage, State, SyncState
from ...models.bulk import insert
from ...resources import of_model
from ...throttle.throttle import Throttle
from ..operations import OPERATIONS, Operation
from ..queue.claim import Claimed
from ..queue.forgetting.erasure import erased_attempt
from ..queue.lanes import BLOCKING_STATES, block, deleting, release_other_lanes
from ..queue.new_message import CUSTOMER
from ..queue.reported_keys import remember_reported
from .outcome import Outcome

logger = logging.getLogger(__name__)


def write_back(
    throttle: Throttle, claimed: Claimed, outcome: Outcome, attempts: list[dict[str, Any]]
) -> bool:
    """
    Save the outcome in one transaction. Returns False if another worker has the message, because the lease
    expired.

    The lease token guards the UPDATE, so a worker that lost its lease writes nothing but the record of its
    attempt. The lane is due at the next attempt; after a delivery, at the next claim. Dependents of a message
    that will not be delivered are blocked.
    """
    message, now = claimed.message, throttle.clock.now()
    operation = OPERATIONS.get(message.operation)
    with _transaction(throttle, operation, outcome):
        using = router.db_for_write(OutboxMessage)
        row = OutboxMessage.objects.using(using).filter(
            pk=message.pk, lease_token=claimed.lease_token, state=State.SENDING
        )
        if not row.filter(forgotten=message.forgotten).update(**_columns(message, outcome, now)):
            if message.forgotten or not row.filter(forgotten=True).exists():
                _record_late(attempts, using)
                return False
            # Its customer was forgotten while it was being sent.
            message.refresh_from_db(using=using, fields=["forgotten", "lane"])
            row.update(**_columns(message, replace(outcome, reason=""), now))
        if attempts:
            insert(Attempt, [_as_stored(attempt, message.forgotten) for attempt in attempts], using=using)
        if outcome.state == State.DELIVERED and operation is not None:
            remember_reported(message, using, now)
            _mirror(operation, message, outcome, throttle.mode, using, now)
            release_other_lanes(message, using, now)
        else:
            lane = OutboxLane.objects.using(using).filter(mode=throttle.mode, key=message.lane)
            lane.update(due_at=outcome.next_try_at or now)
        if outcome.state in BLOCKING_STATES and operation is not None:
            block(message, using)
    return True


@contextmanager
def _transaction(throttle: Throttle, operation: Operation | None, outcome: Outcome) -> Iterator[None]:
    """
    Lock the throttle row if dependents are blocked, or released in other lanes, so that new messages are not
    sequenced meanwhile.

    No other outcome needs the lock.
    """
    is_blocking = outcome.state in BLOCKING_STATES and operation is not None and operation.blocks_dependents
    is_deletion = operation is not None and operation.name in deleting()
    if is_blocking or (is_deletion and outcome.state == State.DELIVERED):
        with throttle.locked():
            yield
    else:
        with transaction.atomic(router.db_for_write(OutboxMessage), durable=True):
            yield


def _record(message: OutboxMessage, outcome: Outcome) -> Any:
    """PartnerStack's answer as it may be stored."""
    operation = OPERATIONS.get(message.operation)
    model = operation.model if operation is not None else None
    if not message.forgotten or model is None or model not in KEPT:
        return outcome.record
    customer_key = message.lane.removeprefix(CUSTOMER)
    return record_without_person(model, outcome.record, customer_key)


def _columns(message: OutboxMessage, outcome: Outcome, now: datetime) -> dict[str, Any]:
    """The columns that change: for a delivery, half of them."""
    is_waiting = outcome.state in (State.SCHEDULED, State.UNCONFIRMED)
    columns = {
        "state": outcome.state,
        "reason": storable(outcome.reason),
        "lease_token": "",
        "lease_expires_at": None,
        "next_try_at": outcome.next_try_at,
        "in_doubt_since": outcome.in_doubt_since,
        "look_up": outcome.look_up,
        "first_in_doubt_at": message.first_in_doubt_at or outcome.in_doubt_since,
        "finished_at": None if is_waiting else now,
        "attempts": message.attempts if outcome.counts_as_attempt else F("attempts") - 1,
    }
    return {name: value for name, value in columns.items() if getattr(message, name) != value}


def _record_late(attempts: list[dict[str, Any]], using: str) -> None:
    """
    Record attempts whose outcome comes too late, unless they are recorded.

    They are if the connection was cut after an earlier commit of the same outcome.
    """
    rows, messages = Attempt.objects.using(using), OutboxMessage.objects.using(using)
    for attempt in attempts:
        same = {"message": attempt["message"], "started_at": attempt["started_at"]}
        is_recorded = rows.filter(**same, duration__isnull=False).exists()
        found = messages.filter(pk=attempt["message"]).values_list("forgotten", flat=True).first()
        if not is_recorded and found is not None:
            late = {**attempt, "outcome": AttemptOutcome.LATE}
            insert(Attempt, [_as_stored(late, found)], using=using)


def _as_stored(attempt: dict[str, Any], forgotten: bool) -> dict[str, Any]:
    return erased_attempt(attempt) if forgotten else attempt


def _mirror(
    operation: Operation, message: OutboxMessage, outcome: Outcome, mode: str, using: str, now: datetime
) -> None:
    if operation.model is None:
        return
    if outcome.record is not None:
        store_one(operation.model, _record(message, outcome), mode=mode, now=now)
    elif operation.deletes:
        key = {operation.key_field: message.payload[operation.key_field]}
        operation.model._base_manager.using(using).filter(mode=mode, **key).update(archived=True)


class ModeEvidence:
    """Records whether responses are test or production data, once for each resource and worker."""

    def __init__(self, mode: str) -> None:
        self.mode = mode
        self._recorded: set[tuple[type[Mirror], bool]] = set()

    def record(self, operation: str, record: Any, now: datetime) -> None:
        """Record the evidence of a response. After a database error the next response is recorded."""
        test = getattr(record, "test", None)
        model = OPERATIONS[operation].model if operation in OPERATIONS else None
        if model is None or test is None or (model, test) in self._recorded:
            return
        try:
            states = SyncState.objects.using(router.db_for_write(SyncState))
            states.record_mode_evidence(self.mode, of_model(model).name, test=test, now=now)
        except Error as error:
            logger.warning("The mode evidence of a response could not be recorded: %s", error)
        else:
            self._recorded.add((model, test))
