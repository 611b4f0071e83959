"""
What PartnerStack is told about a forgotten customer, and what becomes of messages that were not sent yet.

If PartnerStack has the customer, payments, refunds and events that are about to be sent go first: the partner
has earned them, and they have no personal data. Then the customer is anonymised and archived. Everything else
is cancelled.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from ..identity.tombstones import REASON, is_personal
from ..models import LaneStatus, OutboxLane, OutboxMessage, State
from ..models.bulk import insert
from ..outbox.operations import (
    ANONYMISE_CUSTOMER,
    ARCHIVE_CUSTOMER,
    CLEAR_FIELDS,
    creating_customers,
    customer_snapshots,
)
from ..outbox.permitted import NONE
from ..outbox.queue.forgetting.erasure import erased, operation_of
from ..outbox.queue.messages import check, notify_workers
from ..outbox.queue.new_message import NewMessage, columns_of, customer_lane
from ..outbox.queue.once import take_key
from .person import Person

#: What PartnerStack shows instead of the customer's name.
NAME = "Forgotten customer"

#: About to be sent, or perhaps sent.
SENDABLE = (State.SCHEDULED, State.SENDING, State.UNCONFIRMED)
#: Neither delivered nor given up.
OPEN = (*SENDABLE, State.QUEUED, State.ORGANIC, State.WAITING, State.BLOCKED, State.ON_HOLD, State.FAILED)


@dataclass(frozen=True)
class Told:
    """
    ``queued``: the operations that were queued. ``first``: messages that are sent before. ``cancelled``:
    messages that are not sent any more. ``has``: PartnerStack has the customer, or may have it. ``nameless``:
    nothing but an address names the customer to PartnerStack, so it is told nothing.
    """

    queued: tuple[str, ...] = ()
    first: int = 0
    cancelled: int = 0
    has: bool = False
    nameless: bool = False


def tell(person: Person, *, now: datetime, queue: bool) -> Told:
    """
    Cancel what must not be sent any more, and queue that PartnerStack anonymises and archives the customer.

    ``queue``: False cancels only. Call it with the throttle row locked, after the lane was renamed. Safe to
    repeat.
    """
    lane_key = customer_lane(person.known_as)
    lanes = OutboxLane.objects.using(person.using)
    lane, _ = lanes.get_or_create(mode=person.mode, key=lane_key)
    messages = OutboxMessage.objects.using(person.using).filter(mode=person.mode, lane=lane_key)
    known = _has_for_sure(person, lane, messages)
    has = known or _may_have(messages)
    leased_until = _leased_until(messages)
    first, cancelled = _settle(person, messages, keep=known and queue, now=now)
    nameless = has and is_personal(_path(person))
    queued = _queue(person, lane_key, now) if has and queue and not nameless else ()
    changes: dict[str, Any] = {"forgotten": True}
    if queued or first:
        # What is just being sent must have ended before.
        changes |= {"status": LaneStatus.OPEN, "due_at": max(filter(None, (now, leased_until)))}
    lanes.filter(pk=lane.pk).update(**changes)
    if queued:
        notify_workers(lane_key, person.using)
    return Told(queued, first, cancelled, has, nameless)


def _has_for_sure(person: Person, lane: OutboxLane, messages: QuerySet[OutboxMessage]) -> bool:
    if person.conflict:
        return False
    if person.remote_keys:
        return True
    creations = messages.filter(operation__in=creating_customers())
    if creations.filter(state=State.DELIVERED).exists():
        return True
    is_open = lane.status == LaneStatus.OPEN and not creations.filter(state__in=OPEN).exists()
    return is_open and messages.filter(state=State.DELIVERED).exists()


def _may_have(messages: QuerySet[OutboxMessage]) -> bool:
    """Whether an attempt to create the customer has had no answer."""
    in_doubt = Q(first_in_doubt_at__isnull=False) | Q(state=State.SENDING)
    return messages.filter(in_doubt, operation__in=creating_customers()).exists()


def _leased_until(messages: QuerySet[OutboxMessage]) -> datetime | None:
    leases = messages.filter(state=State.SENDING).values_list("lease_expires_at", flat=True)
    return max(filter(None, leases), default=None)


def _settle(
    person: Person, messages: QuerySet[OutboxMessage], *, keep: bool, now: datetime
) -> tuple[int, int]:
    """Returns how many messages are sent first, and how many were cancelled."""
    first = cancelled = 0
    for message in messages.filter(state__in=OPEN).order_by("pk"):
        operation = operation_of(message)
        if operation is not None and operation.is_anonymous:
            continue
        columns = erased(message, person.known_as, keep_payments=person.keep_payments) | {"reason": ""}
        is_data = message.operation in customer_snapshots()
        if keep and not is_data and message.state in SENDABLE:
            first += 1
        else:
            cancelled += 1
            columns |= _cancelled(message, now)
        messages.filter(pk=message.pk).update(**columns)
    return first, cancelled


def _cancelled(message: OutboxMessage, now: datetime) -> dict[str, Any]:
    """A worker that is just sending it loses its lease, and writes no answer."""
    columns: dict[str, Any] = {
        "state": State.CANCELLED,
        "reason": REASON,
        "finished_at": now,
        "next_try_at": None,
        "look_up": None,
        "lease_token": "",
    }
    if message.state == State.SENDING:
        sent_at = message.in_doubt_since or message.sent_at
        columns |= {"in_doubt_since": sent_at, "first_in_doubt_at": message.first_in_doubt_at or sent_at}
    return columns


def _path(person: Person) -> str:
    """What names the customer to PartnerStack."""
    return min(person.remote_keys) if person.is_renamed and person.remote_keys else person.customer_key


def _queue(person: Person, lane_key: str, now: datetime) -> tuple[str, ...]:
    path = _path(person)
    changes: dict[str, Any] = {"email": f"forgotten-{secrets.token_hex(8)}{NONE}", "name": NAME}
    if person.is_renamed:
        changes["new_customer_key"] = person.known_as
    if person.provider_keys:
        changes["provider_key"] = changes["email"].partition("@")[0]
    contents = {ANONYMISE_CUSTOMER: changes}
    if person.custom_fields:
        contents[CLEAR_FIELDS] = {"meta": dict.fromkeys(sorted(person.custom_fields), "")}
    contents[ARCHIVE_CUSTOMER] = {}
    queued = []
    for operation, content in contents.items():
        payload = {"customer_key": path, **content}
        message = NewMessage(operation=operation, lane=lane_key, subject=person.known_as, payload=payload)
        check(message)
        row = columns_of(message, person.mode, now) | {"state": State.SCHEDULED, "forgotten": True}
        if take_key(row, person.using):
            insert(OutboxMessage, [row], using=person.using)
            queued.append(operation)
    return tuple(queued)
