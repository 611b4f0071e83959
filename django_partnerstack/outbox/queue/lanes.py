"""Dependencies: which messages block or wait for another, and when they are released."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet

from ...models import LaneStatus, OutboxLane, OutboxMessage, State
from ..operations import creating_customers, names

#: States in which a message blocks its dependents, because it is not delivered without an operator.
BLOCKING_STATES = frozenset({State.FAILED, State.ON_HOLD, State.CANCELLED})

#: The reason of a blocked message whose dependency is not named.
BLOCKED_REASON = "Depends on an earlier message that failed, is on hold or was cancelled."

#: The reason of a message about a payment that the deletion in another lane blocks.
WAITS_FOR_DELETION = "Sent as soon as the payment is deleted for the customer who had it before."

#: A deletion in these states blocks nothing: it was delivered, or PartnerStack does not have the payment.
NOTHING_TO_DELETE = (State.DELIVERED, State.ORGANIC, State.WAITING)


def blocking() -> tuple[str, ...]:
    """Operations that later messages about the same subject depend on."""
    return names(lambda operation: operation.blocks_dependents and not operation.creates_customer)


def waiting_for_subject() -> tuple[str, ...]:
    """Operations that depend on earlier messages about the same subject, such as a refund on its payment."""
    return names(lambda operation: operation.waits_for_subject)


def deleting() -> tuple[str, ...]:
    """Operations that delete what later messages about the same subject create again."""
    return names(lambda operation: operation.deletes and operation.blocks_dependents)


def dependents(message: OutboxMessage, using: str) -> QuerySet[OutboxMessage]:
    """The dependents of this message: all of its customer, or later messages about the same subject."""
    rows = OutboxMessage.objects.using(using).filter(mode=message.mode, lane=message.lane)
    if message.operation in creating_customers():
        return rows.exclude(pk=message.pk)
    if message.operation not in blocking():
        return rows.none()
    return rows.filter(operation__in=waiting_for_subject(), subject=message.subject, pk__gt=message.pk)


def block(message: OutboxMessage, using: str) -> None:
    """Block the dependents of a message. Call it with the throttle row locked."""
    reason = f"Depends on {message.operation} {message.subject} (#{message.pk})."
    dependents(message, using).filter(state=State.SCHEDULED).update(state=State.BLOCKED, reason=reason)
    if message.operation in creating_customers():
        lane = OutboxLane.objects.using(using).filter(mode=message.mode, key=message.lane)
        lane.update(status=LaneStatus.BLOCKED, due_at=None)


def unblock(rows: QuerySet[OutboxMessage], to: State = State.SCHEDULED) -> None:
    """Release the blocked rows whose dependencies do not block them. Call it with the throttle row locked."""
    blocked = rows.filter(state=State.BLOCKED)
    # In another state nothing is sent.
    is_sendable = to == State.SCHEDULED
    behind = list(behind_deletion(blocked).values_list("pk", flat=True)) if is_sendable else []
    still_blocked = list(blocked_by(blocked, BLOCKING_STATES).values_list("pk", flat=True))
    blocked.exclude(pk__in=[*behind, *still_blocked]).update(state=to, reason="")
    if behind:
        blocked.filter(pk__in=behind).update(reason=WAITS_FOR_DELETION)


def blocked_by(
    rows: QuerySet[OutboxMessage], states: Collection[State], **dependency: Any
) -> QuerySet[OutboxMessage]:
    """The rows that depend on an earlier message about the same subject in one of these states."""
    earlier = OutboxMessage.objects.filter(
        mode=OuterRef("mode"),
        subject=OuterRef("subject"),
        lane=OuterRef("lane"),
        operation__in=blocking(),
        state__in=states,
        pk__lt=OuterRef("pk"),
        # Without it, a corrected message took its place.
        dedupe_key__isnull=False,
        **dependency,
    )
    # A cancelled message whose dedupe key another took over is replaced.
    earlier = earlier.exclude(
        state=State.CANCELLED, dedupe_key=None, operation__in=names(lambda operation: operation.once)
    )
    return rows.filter(Exists(earlier), operation__in=waiting_for_subject())


def behind_deletion(rows: QuerySet[OutboxMessage]) -> QuerySet[OutboxMessage]:
    """
    The rows about a payment that must be deleted in another lane first.

    A correction that gives a payment to another customer queues such a deletion. If the payment were created
    before it, PartnerStack would have it twice, and pay both partners.
    """
    deletions = OutboxMessage.objects.filter(
        mode=OuterRef("mode"),
        subject=OuterRef("subject"),
        operation__in=deleting(),
        pk__lt=OuterRef("pk"),
        dedupe_key__isnull=False,
    )
    deletions = deletions.exclude(lane=OuterRef("lane")).exclude(state__in=NOTHING_TO_DELETE)
    return rows.filter(Exists(deletions), operation__in=waiting_for_subject())


def block_behind_deletion(rows: QuerySet[OutboxMessage]) -> None:
    """Block the scheduled rows that are ``behind_deletion``. Call it with the throttle row locked."""
    scheduled = rows.filter(state=State.SCHEDULED)
    if found := list(behind_deletion(scheduled).values_list("pk", flat=True)):
        scheduled.filter(pk__in=found).update(state=State.BLOCKED, reason=WAITS_FOR_DELETION)


def release_other_lanes(message: OutboxMessage, using: str, now: datetime) -> None:
    """Release what a deletion no longer blocks in other lanes. Call it with the throttle row locked."""
    if message.operation not in deleting():
        return
    about = OutboxMessage.objects.using(using).filter(mode=message.mode, subject=message.subject)
    blocked = about.filter(pk__gt=message.pk, state=State.BLOCKED).exclude(lane=message.lane)
    lanes = OutboxLane.objects.using(using).filter(mode=message.mode, status=LaneStatus.OPEN)
    for lane in lanes.filter(key__in=list(blocked.order_by().values_list("lane", flat=True))):
        unblock(blocked.filter(lane=lane.key))
        make_due(lane, using, now)


def make_due(lane: OutboxLane, using: str, now: datetime) -> None:
    """Make a lane due, unless one of its messages is being sent: then the worker makes it due."""
    sending = OutboxMessage.objects.using(using).filter(mode=lane.mode, lane=lane.key, state=State.SENDING)
    lanes = OutboxLane.objects.using(using).filter(~Exists(sending), pk=lane.pk, status=LaneStatus.OPEN)
    lanes.update(due_at=now)
