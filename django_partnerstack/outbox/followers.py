"""What must wait while another message is stuck: all of a customer, or what comes later of one object."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet

from ..models import OutboxLane, OutboxMessage, Standing, State
from .operations import CREATE_CUSTOMER, OPERATIONS

#: States in which a message will not be delivered by itself.
STUCK = frozenset({State.DEAD, State.HELD, State.CANCELLED})

#: Why a message is blocked, where the one that it waits for is not named.
BEHIND = "Waits for what is dead, held or cancelled before it."

#: What is done to one object in order, as a payment is deleted and the rest told anew.
AWAITED = tuple(name for name, each in OPERATIONS.items() if each.awaited and name not in CREATE_CUSTOMER)
WAITING = tuple(name for name in OPERATIONS if name.startswith(("transactions.", "partnerships.")))


def followers(message: OutboxMessage, using: str) -> QuerySet[OutboxMessage]:
    """The messages that need what this one does."""
    rows = OutboxMessage.objects.using(using).filter(mode=message.mode, lane=message.lane)
    if message.operation in CREATE_CUSTOMER:
        return rows.exclude(pk=message.pk)
    if message.operation not in AWAITED:
        return rows.none()
    return rows.filter(operation__in=WAITING, subject=message.subject, pk__gt=message.pk)


def block(message: OutboxMessage, using: str) -> None:
    """Nothing that needs this message leaves while it is stuck. Call it with the line locked."""
    waiting = followers(message, using).filter(state=State.READY)
    waiting.update(
        state=State.BLOCKED, reason=f"Waits for {message.operation} {message.subject} (#{message.pk})."
    )
    if message.operation in CREATE_CUSTOMER:
        lane = OutboxLane.objects.using(using).filter(mode=message.mode, key=message.lane)
        lane.update(standing=Standing.BLOCKED, due_at=None)


def unblock(rows: QuerySet[OutboxMessage], to: State = State.READY) -> None:
    """Let those go on of which nothing before is stuck. Call it with the line locked."""
    blocked = rows.filter(state=State.BLOCKED)
    still = list(behind(blocked, STUCK).values_list("pk", flat=True))
    blocked.exclude(pk__in=still).update(state=to, reason="")


def behind(rows: QuerySet[OutboxMessage], states: Collection[State], **more: Any) -> QuerySet[OutboxMessage]:
    """Those of the rows that follow a message of the same object which is in one of the states."""
    before = OutboxMessage.objects.filter(
        mode=OuterRef("mode"),
        subject=OuterRef("subject"),
        lane=OuterRef("lane"),
        operation__in=AWAITED,
        state__in=states,
        pk__lt=OuterRef("pk"),
        **more,
    )
    return rows.filter(Exists(before), operation__in=WAITING)
