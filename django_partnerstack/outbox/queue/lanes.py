"""Dependencies: block the messages that depend on another, and release them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet

from ...conf import conf
from ...models import LaneStatus, OutboxLane, OutboxMessage, State
from ..operations import creating_customers, customer_snapshots, names

#: States in which a message blocks its dependents, because it is not delivered without an operator.
BLOCKING_STATES = frozenset({State.FAILED, State.ON_HOLD, State.CANCELLED})

#: The reason of a blocked message whose dependency is not named.
BLOCKED_REASON = "Depends on an earlier message that failed, is on hold or was cancelled."

TOO_OLD = "Queued too long before the customer had a partner."


def blocking() -> tuple[str, ...]:
    """Operations that later messages about the same subject depend on."""
    return names(lambda operation: operation.blocks_dependents and not operation.creates_customer)


def waiting_for_subject() -> tuple[str, ...]:
    """Operations that depend on earlier messages about the same subject, such as a refund on its payment."""
    return names(lambda operation: operation.waits_for_subject)


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
    still_blocked = list(blocked_by(blocked, BLOCKING_STATES).values_list("pk", flat=True))
    blocked.exclude(pk__in=still_blocked).update(state=to, reason="")


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


def release_organic(lanes: Collection[str], *, mode: str, using: str, now: datetime) -> None:
    """
    Release the messages of customers who now have a partner, except messages that are too old.

    Dependents of a message in a blocking state stay blocked. Call it with the throttle row locked.
    """
    messages = OutboxMessage.objects.using(using).filter(mode=mode, lane__in=lanes)
    waiting = messages.exclude(operation__in=customer_snapshots())
    organic = waiting.filter(state=State.ORGANIC)
    organic.filter(queued_at__lt=now - timedelta(days=conf.attribution_days)).update(reason=TOO_OLD)
    too_old = blocked_by(organic.exclude(reason=TOO_OLD), {State.ORGANIC}, reason=TOO_OLD)
    organic.filter(pk__in=list(too_old.values_list("pk", flat=True))).update(reason=TOO_OLD)
    organic.exclude(reason=TOO_OLD).update(state=State.BLOCKED, reason=BLOCKED_REASON)
    unblock(waiting)
