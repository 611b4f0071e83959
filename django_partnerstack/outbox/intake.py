"""
Taking in what was queued: each new message finds its place in its lane.

What a message becomes is decided here and nowhere else: whether a customer's data are a creation or an
update, whether a customer is organic, whether something waits for a message that is stuck.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from copy import copy
from datetime import datetime

from django.db import transaction

from ..models import Attribution, Customer, OutboxLane, OutboxMessage, Standing, State
from .credit import Credit, credit
from .drafts import customer_of
from .enqueue import CUSTOMER, message_from
from .followers import BEHIND, STUCK, WAITING, behind
from .locals import mirror_locally
from .operations import CREATE_CUSTOMER, CUSTOMER_SNAPSHOTS, SAVE_CUSTOMER
from .organic import release_organic

#: Messages taken in at a time.
BATCH = 500

REPLACED = "Replaced by newer data."

#: What becomes of a message, by the standing of its lane.
PLACES = {
    Standing.NEW: State.ORGANIC,
    Standing.ORGANIC: State.ORGANIC,
    Standing.OPEN: State.READY,
    Standing.BLOCKED: State.BLOCKED,
}


def take_in(mode: str, using: str, now: datetime, *, lane: str | None = None) -> bool:
    """
    Take in a batch of new messages; of one lane alone, if it is given. Call it with the line locked.

    Returns whether there may be more.
    """
    new = OutboxMessage.objects.using(using).filter(mode=mode, state=State.NEW)
    if lane is not None:
        new = new.filter(lane=lane)
    messages = list(new.order_by("pk")[:BATCH])
    if messages:
        Intake(mode, using, now).take(messages)
    return len(messages) == BATCH


class Intake:
    """One batch on its way into its lanes."""

    def __init__(self, mode: str, using: str, now: datetime) -> None:
        self.mode = mode
        self.using = using
        self.now = now
        self.messages = OutboxMessage.objects.using(using).filter(mode=mode)
        self.lanes: dict[str, OutboxLane] = {}
        self.before: dict[str, tuple[str, datetime | None]] = {}
        self.created: set[str] = set()
        self.attributions: dict[str, Attribution] = {}
        #: Messages that follow one of the same object which will not leave by itself.
        self.waiting: set[int] = set()
        self.organic: set[int] = set()
        self.opened: list[str] = []

    def take(self, messages: list[OutboxMessage]) -> None:
        self._load({message.lane for message in messages})
        self._load_waiting([message.pk for message in messages if _follows(message)])
        introduced = []
        for message in messages:
            introduced += self._place(message)
        mirror_locally([*introduced, *messages], mode=self.mode, using=self.using)
        OutboxMessage.objects.using(self.using).bulk_create(introduced)
        self._save_messages(messages)
        self._save_lanes()
        if self.opened:
            release_organic(self.opened, mode=self.mode, using=self.using, now=self.now)

    def _load(self, keys: Iterable[str]) -> None:
        for lane in OutboxLane.objects.using(self.using).filter(mode=self.mode, key__in=keys):
            self.lanes[lane.key] = lane
        self.before = {key: (lane.standing, lane.due_at) for key, lane in self.lanes.items()}
        for key in keys:
            # Only a customer must be created before anything of its lane can leave.
            standing = Standing.NEW if key.startswith(CUSTOMER) else Standing.OPEN
            self.lanes.setdefault(key, OutboxLane(mode=self.mode, key=key, standing=standing))
        without = (Standing.NEW, Standing.ORGANIC)
        unknown = {key.removeprefix(CUSTOMER) for key, lane in self.lanes.items() if lane.standing in without}
        customers = Customer.objects.using(self.using).filter(mode=self.mode, customer_key__in=unknown)
        created = customers.filter(key__isnull=False).values_list("customer_key", flat=True)
        self.created = {f"{CUSTOMER}{key}" for key in created}
        attributions = Attribution.objects.using(self.using)
        self.attributions = attributions.of_customers(self.mode, [key.removeprefix(CUSTOMER) for key in keys])

    def _load_waiting(self, pks: list[int]) -> None:
        if pks:
            rows = self.messages.filter(pk__in=pks)
            self.waiting = set(behind(rows, STUCK).values_list("pk", flat=True))
            self.organic = set(behind(rows, {State.ORGANIC}).values_list("pk", flat=True))

    def _place(self, message: OutboxMessage) -> list[OutboxMessage]:
        """Give a message its operation and state. Returns messages that must be written before it."""
        lane = self.lanes[message.lane]
        if lane.key in self.created and lane.standing != Standing.OPEN:
            self._open(lane)
        introduced = []
        if message.operation == SAVE_CUSTOMER:
            introduced = self._place_customer(message, lane)
        elif lane.standing == Standing.NEW:
            try:
                introduced = self._introduce(message, lane)
            except Exception as error:
                source = f"The source of {message.customer_source} failed"
                message.state = State.HELD
                message.reason = f"{source}: {type(error).__name__}: {error}".replace("\0", "")
                return []
        message.state = PLACES[Standing(lane.standing)]
        if message.pk in self.waiting:
            message.state = State.BLOCKED
        elif message.pk in self.organic:
            message.state, message.reason = State.ORGANIC, "What it is about was not reported."
        if message.state == State.BLOCKED:
            message.reason = BEHIND
        if message.state == State.READY and lane.due_at is None:
            lane.due_at = self.now
        return introduced

    def _place_customer(self, message: OutboxMessage, lane: OutboxLane) -> list[OutboxMessage]:
        """A customer's data: a creation if PartnerStack has no such customer yet, else an update."""
        message.operation = "customers.update"
        if lane.standing == Standing.BLOCKED:
            return self._replace_dead(message, lane)
        if lane.standing in (Standing.NEW, Standing.ORGANIC):
            self._create(message, lane)
        return []

    def _credit(self, message: OutboxMessage) -> Credit:
        return credit(message.payload, self.attributions.get(message.subject))

    def _create(self, message: OutboxMessage, lane: OutboxLane) -> None:
        """Make it the creation of the customer, if a partner is known."""
        found = self._credit(message)
        message.operation, message.rank = found.operation or "customers.create", 0
        message.credit, message.reason = found.content, found.reason
        if found.operation:
            self._open(lane)
        else:
            lane.standing = Standing.ORGANIC

    def _open(self, lane: OutboxLane) -> None:
        lane.standing, lane.due_at = Standing.OPEN, lane.due_at or self.now
        self.opened.append(lane.key)

    def _replace_dead(self, message: OutboxMessage, lane: OutboxLane) -> list[OutboxMessage]:
        """Newer data of a customer whose creation was refused: they take the place of the refused ones."""
        creations = self.messages.filter(lane=lane.key, operation__in=CREATE_CUSTOMER)
        dead = creations.filter(state=State.DEAD).first()
        if dead is None or not self._credit(message).operation:
            return []
        older = self.messages.filter(lane=lane.key, operation__in=CUSTOMER_SNAPSHOTS, pk__lt=message.pk)
        older.filter(state=State.BLOCKED).update(state=State.CANCELLED, reason=REPLACED)
        creations.filter(pk=dead.pk).update(state=State.CANCELLED, reason=f"{REPLACED} {dead.reason}")
        if dead.in_doubt_since is None:
            self._create(message, lane)
            return []
        # If PartnerStack has the customer after all, it has the older data: these are told as a change, too.
        creation = copy(message)
        creation.pk, creation.state = None, State.READY
        creation.in_doubt_since, creation.first_doubt_at = dead.in_doubt_since, dead.first_doubt_at
        creation.first_sent_at = dead.first_sent_at
        self._create(creation, lane)
        return [creation]

    def _introduce(self, message: OutboxMessage, lane: OutboxLane) -> list[OutboxMessage]:
        """The customer of a message, if it was never queued before: the site's source is asked for it."""
        # A savepoint, lest a query of the source that fails takes the others with it.
        with transaction.atomic(self.using):
            draft = customer_of(message)
        if draft is None:
            message.reason = "The customer was never reported."
            return []
        customer = message_from(draft, self.mode, self.now)
        self._place_customer(customer, lane)
        customer.state = PLACES[Standing(lane.standing)]
        return [customer]

    def _save_messages(self, messages: list[OutboxMessage]) -> None:
        alike: dict[tuple[str, int, str, str], list[int]] = defaultdict(list)
        for message in messages:
            alike[message.operation, message.rank, message.state, message.reason].append(message.pk)
            if message.credit:
                self.messages.filter(pk=message.pk).update(credit=message.credit)
        for (operation, rank, state, reason), pks in alike.items():
            changes = {"operation": operation, "rank": rank, "state": state, "reason": reason}
            self.messages.filter(pk__in=pks).update(**changes)

    def _save_lanes(self) -> None:
        """
        Only what changed: a worker that has just delivered may be setting the due time of another lane.
        """
        lanes = OutboxLane.objects.using(self.using)
        lanes.bulk_create([lane for lane in self.lanes.values() if lane.pk is None])
        due, standing = [], defaultdict(list)
        for key, (old_standing, old_due) in self.before.items():
            lane = self.lanes[key]
            if lane.due_at != old_due:
                due.append(lane.pk)
            if lane.standing != old_standing:
                standing[lane.standing].append(lane.pk)
        lanes.filter(pk__in=due).update(due_at=self.now)
        for name, pks in standing.items():
            lanes.filter(pk__in=pks).update(standing=name)


def _follows(message: OutboxMessage) -> bool:
    """Whether there was another message of the same object before; a payment itself is the first."""
    if message.operation == "transactions.delete":
        return True
    return message.operation in WAITING and message.payload.get("key") != message.subject
