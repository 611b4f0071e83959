"""Introduction: a customer who was never queued is queued before the first message about it."""

from __future__ import annotations

from django.db import transaction

from ....models import LaneStatus, OutboxLane, OutboxMessage
from ...operations import SAVE_CUSTOMER
from ..builders import customer_of, customer_reference
from ..messages import check, remember_customer
from ..new_message import NewMessage, unsaved
from ..source_failures import record_failures, text_of
from .batch import UNCREATED, Batch
from .customers import sequence_customer
from .waiting import NOT_REPORTED


class Introductions:
    """Introduces the customers of a batch, each at most once."""

    def __init__(self, messages: list[OutboxMessage], batch: Batch) -> None:
        self.batch = batch
        #: lane: why its customer is not introduced. Its source is asked once in a batch. Customers whose data
        #: are in the batch need no introduction: what comes before them waits for a moment.
        self.unknown = {
            message.lane: NOT_REPORTED for message in messages if message.operation == SAVE_CUSTOMER
        }

    def introduce(self, message: OutboxMessage, lane: OutboxLane) -> OutboxMessage | None:
        """
        The customer of the message as the site's source describes it, to be inserted.

        None if the mirror has the customer and does not differ. The message waits if the source fails, or if
        it does not report a customer that the mirror does not have.
        """
        batch = self.batch
        if lane.key in batch.forgotten:
            return None
        if lane.status not in UNCREATED or (lane.status != LaneStatus.NEW and lane.key not in batch.mirrored):
            return None
        mirrored = batch.mirrored.get(lane.key)
        if lane.key not in self.unknown:
            new = self._customer_of(message, lane) if mirrored is None or mirrored.email else None
            if new is not None:
                customer = unsaved(new, batch.mode, batch.now)
                sequence_customer(customer, lane, batch)
                return customer
            # Without an address on one of both sides, there is nothing to compare.
            if mirrored is not None and self.unknown.get(lane.key, NOT_REPORTED) == NOT_REPORTED:
                batch.open(lane)
                return None
        if lane.status == LaneStatus.NEW:
            message.reason = self.unknown[lane.key]
        return None

    def _customer_of(self, message: OutboxMessage, lane: OutboxLane) -> NewMessage | None:
        """None if it cannot be queued, or need not be; ``unknown`` then says why."""
        batch = self.batch
        self.unknown[message.lane] = NOT_REPORTED
        try:
            # In a savepoint, so that a failing query of the source does not roll back the batch.
            with transaction.atomic(batch.using):
                new = customer_of(message)
            if new is not None and lane.key in batch.mirrored and not batch.difference(new.payload, lane):
                return None
            if new is not None:
                # Otherwise the database could refuse it, and with it the batch.
                check(new)
                remember_customer(new, mode=batch.mode, using=batch.using)
        except (Exception, SystemExit) as error:
            customer = customer_reference(message)
            failed = {customer: error}
            record_failures(failed, SAVE_CUSTOMER, mode=batch.mode, using=batch.using, now=batch.now)
            reason = f"The source of {customer.label} failed: {text_of(error)}"
            self.unknown[message.lane] = f"{NOT_REPORTED} {reason}"
            return None
        return new
