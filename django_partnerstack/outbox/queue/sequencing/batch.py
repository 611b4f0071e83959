"""A batch of new messages: what sequencing knows about their customers. Read and saved with few queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from typing import Any

from ....identity.tombstones import CUSTOMER_KEY, forgotten_among, is_personal
from ....models import Attribution, Customer, LaneStatus, OutboxLane, OutboxMessage, State
from ...operations import OPERATIONS
from ..lanes import (
    BLOCKING_STATES,
    NOTHING_TO_DELETE,
    block_behind_deletion,
    blocked_by,
    release_other_lanes,
)
from ..new_message import CUSTOMER, customer_lane
from .customer_creation import difference_to_mirror
from .waiting import make_organic, release_lanes

#: PartnerStack does not have the customers of these lanes, unless others created them.
UNCREATED = (LaneStatus.NEW, LaneStatus.ORGANIC)


class Batch:
    """The lanes of some new messages, with what is known about their customers and dependencies."""

    def __init__(self, messages: list[OutboxMessage], mode: str, using: str, now: datetime) -> None:
        self.mode = mode
        self.using = using
        self.now = now
        self.messages = OutboxMessage.objects.using(using).filter(mode=mode)
        self.lanes: dict[str, OutboxLane] = {}
        self.before: dict[str, tuple[str, datetime | None]] = {}
        #: Customers of these lanes whom this site has never created, as the mirror shows them.
        self.mirrored: dict[str, Customer] = {}
        self.attributions: dict[str, Attribution] = {}
        #: The lanes of forgotten customers, each with the key under which the rest of it is stored.
        self.forgotten: dict[str, str] = {}
        #: Messages that depend on a message in a blocking state, and on an organic message.
        self.blocked: set[int] = set()
        self.organic: set[int] = set()
        self._opened: list[str] = []
        #: Lanes whose customer was reported in this batch without a partner.
        self._without_partner: list[str] = []
        self._load({message.lane for message in messages})
        self._dependent = [message.pk for message in messages if may_depend(message)]
        self._load_dependencies(self._dependent)

    def _load(self, keys: Collection[str]) -> None:
        renamed = self._lanes_with_another_key(keys)
        keys = {*keys, *map(customer_lane, renamed.values())}
        for lane in OutboxLane.objects.using(self.using).filter(mode=self.mode, key__in=keys):
            self.lanes[lane.key] = lane
        self.forgotten = {
            key: key.removeprefix(CUSTOMER) for key, lane in self.lanes.items() if lane.forgotten
        }
        self.forgotten |= renamed
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

    def _lanes_with_another_key(self, lanes: Collection[str]) -> dict[str, str]:
        """The lanes whose customers have another key since they were forgotten, each with that key."""
        wanted = [(CUSTOMER_KEY, key.removeprefix(CUSTOMER)) for key in lanes if is_personal(key)]
        found = forgotten_among(wanted, mode=self.mode, using=self.using)
        return {customer_lane(key): known.customer_key for (_, key), known in found.items()}

    def _load_dependencies(self, pks: list[int]) -> None:
        if pks:
            rows = self.messages.filter(pk__in=pks)
            self.blocked = set(blocked_by(rows, BLOCKING_STATES).values_list("pk", flat=True))
            self.organic = set(blocked_by(rows, {State.ORGANIC}).values_list("pk", flat=True))

    def difference(self, payload: dict[str, Any], lane: OutboxLane) -> str:
        """How a customer differs from the mirror; empty if it does not, or is not mirrored."""
        mirrored = self.mirrored.get(lane.key)
        return difference_to_mirror(payload, mirrored) if mirrored else ""

    def open(self, lane: OutboxLane) -> None:
        lane.status, lane.due_at = LaneStatus.OPEN, lane.due_at or self.now
        self._opened.append(lane.key)

    def make_organic(self, lane: OutboxLane) -> None:
        lane.status = LaneStatus.ORGANIC
        self._without_partner.append(lane.key)

    def save(self, messages: list[OutboxMessage]) -> None:
        self._save_messages(messages)
        self._save_lanes()
        if self._opened:
            release_lanes(self._opened, mode=self.mode, using=self.using, now=self.now)
        if self._without_partner:
            make_organic(self._without_partner, mode=self.mode, using=self.using)
        if self._dependent:
            # Now, because the deletion may be in this batch.
            block_behind_deletion(self.messages.filter(pk__in=self._dependent))
        for message in messages:
            if message.state in NOTHING_TO_DELETE:
                release_other_lanes(message, self.using, self.now)

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
        lanes.bulk_create(
            lane for lane in self.lanes.values() if lane.key not in self.forgotten and lane.pk is None
        )
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


def may_depend(message: OutboxMessage) -> bool:
    """Whether an earlier message about the same subject can exist. A payment is the first about its key."""
    operation = OPERATIONS.get(message.operation)
    if operation is None or not operation.waits_for_subject:
        return False
    return operation.deletes or message.payload.get(operation.key_field) != message.subject
