"""What keeps messages from leaving, at the price of one query."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from ..models import OutboxConnection, OutboxMessage, State


@dataclass(frozen=True)
class Trouble:
    """Nothing leaves before ``closed_until``, and why; None while the line is open. How many are stuck."""

    closed_until: datetime | None = None
    closed_because: str = ""
    dead: int = 0
    held: int = 0


def trouble(mode: str) -> Trouble:
    """What is wrong with the messages of a mode. There is a row to read once the first was sent or held."""
    stuck = {state.value: _number(state) for state in (State.DEAD, State.HELD)}
    rows = OutboxConnection.objects.filter(mode=mode).annotate(**stuck)
    row = rows.values_list("closed_until", "closed_reason", *stuck).first()
    if row is None:
        return Trouble()
    until, because, dead, held = row
    if until is None or until <= timezone.now():
        until, because = None, ""
    return Trouble(until, because, dead, held)


def _number(state: State) -> Coalesce:
    messages = OutboxMessage.objects.filter(mode=OuterRef("mode"), state=state).order_by()
    return Coalesce(Subquery(messages.values("mode").annotate(number=Count("pk")).values("number")), 0)
