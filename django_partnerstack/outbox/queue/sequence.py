"""
Sequencing: each new message gets its operation, its state and its place in its lane.

Only this module decides whether a customer's data are a creation or an update, and whether a new message is
blocked or waits for its customer. How a customer is created, or that it is organic, is decided in
``customer_creation``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction

from ...models import Attribution, Customer, LaneStatus, OutboxLane, OutboxMessage, State
from ..operations import (
    CREATE_CUSTOMER,
    OPERATIONS,
    SAVE_CUSTOMER,
    UPDATE_CUSTOMER,
    creating_customers,
    customer_snapshots,
)
from .builders import customer_of, customer_reference
from .customer_creation import ANOTHER_CUSTOMER, Creation, creation_of, difference_to_mirror
from .isolation import isolated
from .lanes import (
    BLOCKED_REASON,
    BLOCKING_STATES,
    NOT_REPORTED,
    blocked_by,
    make_organic,
    release_lanes,
)
from .messages import CUSTOMER, NewMessage, check, customer_lane, remember_customer, unsaved
from .once import REPLACED
from .source_failures import forget_failures, record_failures, text_of

#: Messages sequenced at a time.
BATCH = 500

#: PartnerStack does not have the customers of these lanes, unless others created them.
UNCREATED = (LaneStatus.NEW, LaneStatus.ORGANIC)

#: The state of a message by the status of its lane.
STATES = {
    LaneStatus.NEW: State.WAITING,
    LaneStatus.ORGANIC: State.ORGANIC,
    LaneStatus.OPEN: State.SCHEDULED,
    LaneStatus.BLOCKED: State.BLOCKED,
}


def sequence_new_messages(mode: str, using: str, now: datetime, *, lane: str | None = None) -> bool:
    """
    Sequence a batch of queued messages, or those of one ``lane``. Call it with the throttle row locked.

    Returns whether more may be queued.
    """
    new = OutboxMessage.objects.using(using).filter(mode=mode, state=State.QUEUED)
    if lane is not None:
        new = new.filter(lane=lane)
    pks = list(new.order_by("pk").values_list("pk", flat=True)[:BATCH])
    rows = OutboxMessage.objects.using(using).order_by("pk")
    isolated(pks, using, lambda part: Sequencer(mode, using, now).sequence(list(rows.filter(pk__in=part))))
    return len(pks) == BATCH


class Sequencer:
    """Sequences one batch, with a bounded number of queries."""

    def __init__(self, mode: str, using: str, now: datetime) -> None:
        self.mode = mode
        self.using = using
        self.now = now
        self.messages = OutboxMessage.objects.using(using).filter(mode=mode)
        self.lanes: dict[str, OutboxLane] = {}
        self.before: dict[str, tuple[str, datetime | None]] = {}
        #: Customers of these lanes whom this site has never created, as the mirror shows them.
        self.mirrored: dict[str, Customer] = {}
        self.attributions: dict[str, Attribution] = {}
        #: Messages that depend on a message in a blocking state, and on an organic message.
        self.blocked: set[int] = set()
        self.organic: set[int] = set()
        self.opened: list[str] = []
        #: Lanes whose customer was reported in this batch without a partner.
        self.without_partner: list[str] = []
        #: lane: why its customer is not introduced. Its source is asked once in a batch.
        self.unknown: dict[str, str] = {}

    def sequence(self, messages: list[OutboxMessage]) -> None:
        reported = {(message.operation, message.source, message.source_pk) for message in messages}
        self._load({message.lane for message in messages})
        # These customers need no introduction: what comes before them waits for a moment.
        self.unknown = {
            message.lane: NOT_REPORTED for message in messages if message.operation == SAVE_CUSTOMER
        }
        self._load_dependencies([message.pk for message in messages if _may_depend(message)])
        introduced = []
        for message in messages:
            introduced += self._place(message)
        reported |= {(SAVE_CUSTOMER, customer.source, customer.source_pk) for customer in introduced}
        OutboxMessage.objects.using(self.using).bulk_create(introduced)
        self._save_messages(messages)
        self._save_lanes()
        if self.opened:
            release_lanes(self.opened, mode=self.mode, using=self.using, now=self.now)
        if self.without_partner:
            make_organic(self.without_partner, mode=self.mode, using=self.using)
        forget_failures(reported, mode=self.mode, using=self.using)

    def _load(self, keys: Iterable[str]) -> None:
        for lane in OutboxLane.objects.using(self.using).filter(mode=self.mode, key__in=keys):
            self.lanes[lane.key] = lane
        self.before = {key: (lane.status, lane.due_at) for key, lane in self.lanes.items()}
        for key in keys:
            # Only the lane of a customer begins with a creation.
            status = LaneStatus.NEW if key.startswith(CUSTOMER) else LaneStatus.OPEN
            self.lanes.setdefault(key, OutboxLane(mode=self.mode, key=key, status=status))
        unknown = {key.removeprefix(CUSTOMER) for key, lane in self.lanes.items() if lane.status in UNCREATED}
        customers = Customer.objects.using(self.using).filter(mode=self.mode, customer_key__in=unknown)
        self.mirrored = {customer_lane(each.customer_key): each for each in customers.order_by("pk")}
        attributions = Attribution.objects.using(self.using)
        self.attributions = attributions.of_customers(self.mode, [key.removeprefix(CUSTOMER) for key in keys])

    def _load_dependencies(self, pks: list[int]) -> None:
        if pks:
            rows = self.messages.filter(pk__in=pks)
            self.blocked = set(blocked_by(rows, BLOCKING_STATES).values_list("pk", flat=True))
            self.organic = set(blocked_by(rows, {State.ORGANIC}).values_list("pk", flat=True))

    def _place(self, message: OutboxMessage) -> list[OutboxMessage]:
        """Give a message its operation and state. Returns new messages that must be inserted."""
        lane = self.lanes[message.lane]
        introduced = []
        if message.operation == SAVE_CUSTOMER:
            self._place_customer(message, lane)
        elif lane.status == LaneStatus.NEW or (lane.status in UNCREATED and lane.key in self.mirrored):
            introduced = self._introduce_customer(message, lane)
        message.state = _state(message, lane)
        if message.pk in self.blocked:
            message.state = State.BLOCKED
        elif message.pk in self.organic:
            message.state, message.reason = State.ORGANIC, "Its payment was not reported."
        if message.state == State.BLOCKED:
            message.reason = BLOCKED_REASON
        if message.state == State.SCHEDULED and lane.due_at is None:
            lane.due_at = self.now
        return introduced

    def _place_customer(self, message: OutboxMessage, lane: OutboxLane) -> None:
        """A creation if PartnerStack does not have the customer yet, else an update."""
        message.operation = UPDATE_CUSTOMER
        if lane.status == LaneStatus.BLOCKED:
            self._replace_failed(message, lane)
        elif lane.status in UNCREATED:
            if lane.key in self.mirrored and not self._difference(message.payload, lane):
                self._open(lane)
            else:
                self._create(message, lane)

    def _difference(self, payload: dict[str, Any], lane: OutboxLane) -> str:
        mirrored = self.mirrored.get(lane.key)
        return difference_to_mirror(payload, mirrored) if mirrored else ""

    def _creation(self, message: OutboxMessage) -> Creation:
        return creation_of(message.payload, self.attributions.get(message.subject))

    def _create(self, message: OutboxMessage, lane: OutboxLane) -> None:
        """Let the message create the customer. It is organic if no partner is known."""
        creation = self._creation(message)
        message.operation, message.priority = creation.operation or CREATE_CUSTOMER, 0
        message.attributed_to, message.reason = creation.attributed_to, creation.reason
        if creation.operation:
            self._open(lane)
            return
        if difference := self._difference(message.payload, lane):
            # Nothing can be sent without a partner, and an organic customer would hide the conflict.
            lane.status = LaneStatus.BLOCKED
            message.reason = ANOTHER_CUSTOMER.format(message.subject, difference)
            return
        lane.status = LaneStatus.ORGANIC
        self.without_partner.append(lane.key)

    def _open(self, lane: OutboxLane) -> None:
        lane.status, lane.due_at = LaneStatus.OPEN, lane.due_at or self.now
        self.opened.append(lane.key)

    def _replace_failed(self, message: OutboxMessage, lane: OutboxLane) -> None:
        """Replace a failed creation of a customer by its newer data, or let them follow it as an update."""
        creations = self.messages.filter(lane=lane.key, operation__in=creating_customers())
        failed = creations.filter(state=State.FAILED).first()
        creation = self._creation(message)
        if failed is None or not creation.operation:
            return
        older = self.messages.filter(lane=lane.key, operation__in=customer_snapshots(), pk__lt=message.pk)
        older.filter(state=State.BLOCKED).update(state=State.CANCELLED, reason=REPLACED)
        if failed.in_doubt_since is None:
            reason = f"{REPLACED} {failed.reason}"
            creations.filter(pk=failed.pk).update(state=State.CANCELLED, reason=reason)
            self._create(message, lane)
            return
        # An attempt may have created the customer with the older data, so a look-up must compare those.
        partner_key = message.payload.get("partner_key")
        named = {"partner_key": partner_key} if partner_key else {}
        creations.filter(pk=failed.pk).update(
            operation=creation.operation,
            attributed_to=creation.attributed_to or named,
            state=State.UNCONFIRMED,
            reason=failed.reason,
            attempts=0,
            next_try_at=None,
            finished_at=None,
        )
        self._open(lane)

    def _introduce_customer(self, message: OutboxMessage, lane: OutboxLane) -> list[OutboxMessage]:
        """
        Queue the customer of the message, which was never queued, as the site's source describes it.

        Nothing is queued if the mirror has the customer and does not differ. The message waits if the source
        fails, or if it does not report a customer that the mirror does not have.
        """
        mirrored = self.mirrored.get(lane.key)
        if lane.key not in self.unknown:
            new = self._customer_of(message, lane) if mirrored is None or mirrored.email else None
            if new is not None:
                customer = unsaved(new, self.mode, self.now)
                self._place_customer(customer, lane)
                customer.state = _state(customer, lane)
                return [customer]
            # Without an address on one of both sides, there is nothing to compare.
            if mirrored is not None and self.unknown.get(lane.key, NOT_REPORTED) == NOT_REPORTED:
                self._open(lane)
                return []
        if lane.status == LaneStatus.NEW:
            message.reason = self.unknown[lane.key]
        return []

    def _customer_of(self, message: OutboxMessage, lane: OutboxLane) -> NewMessage | None:
        """None if it cannot be queued, or need not be; ``unknown`` then says why."""
        self.unknown[message.lane] = NOT_REPORTED
        try:
            # In a savepoint, so that a failing query of the source does not roll back the batch.
            with transaction.atomic(self.using):
                new = customer_of(message)
            if new is not None and lane.key in self.mirrored and not self._difference(new.payload, lane):
                return None
            if new is not None:
                # Otherwise the database could refuse it, and with it the batch.
                check(new)
                remember_customer(new, mode=self.mode, using=self.using)
        except (Exception, SystemExit) as error:
            customer = customer_reference(message)
            record_failures({customer: error}, SAVE_CUSTOMER, mode=self.mode, using=self.using, now=self.now)
            reason = f"The source of {customer[0]} failed: {text_of(error)}"
            self.unknown[message.lane] = f"{NOT_REPORTED} {reason}"
            return None
        return new

    def _save_messages(self, messages: list[OutboxMessage]) -> None:
        alike: dict[tuple[str, int, str, str], list[int]] = defaultdict(list)
        for message in messages:
            alike[message.operation, message.priority, message.state, message.reason].append(message.pk)
            if message.attributed_to:
                self.messages.filter(pk=message.pk).update(attributed_to=message.attributed_to)
        for (operation, priority, state, reason), pks in alike.items():
            changes = {"operation": operation, "priority": priority, "state": state, "reason": reason}
            self.messages.filter(pk__in=pks).update(**changes)

    def _save_lanes(self) -> None:
        """Save only what changed: a worker may be setting the due time of another lane."""
        lanes = OutboxLane.objects.using(self.using)
        lanes.bulk_create([lane for lane in self.lanes.values() if lane.pk is None])
        due, by_status = [], defaultdict(list)
        for key, (old_status, old_due) in self.before.items():
            lane = self.lanes[key]
            if lane.due_at != old_due:
                due.append(lane.pk)
            if lane.status != old_status:
                by_status[lane.status].append(lane.pk)
        lanes.filter(pk__in=due).update(due_at=self.now)
        for status, pks in by_status.items():
            lanes.filter(pk__in=pks).update(status=status)


def _state(message: OutboxMessage, lane: OutboxLane) -> State:
    """A creation never depends on another message: in a blocked lane it is what blocks the others."""
    if lane.status == LaneStatus.BLOCKED and message.operation in creating_customers():
        return State.FAILED
    return STATES[LaneStatus(lane.status)]


def _may_depend(message: OutboxMessage) -> bool:
    """Whether an earlier message about the same subject can exist. A payment is the first about its key."""
    operation = OPERATIONS.get(message.operation)
    if operation is None or not operation.waits_for_subject:
        return False
    return operation.deletes or message.payload.get(operation.key_field) != message.subject
