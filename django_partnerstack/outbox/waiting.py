"""Whether there is anything to do, at the price of one query."""

from __future__ import annotations

from django.db import router

from ..models import OutboxLane, OutboxMessage, Standing, State
from .clock import Now


def is_anything_due(mode: str) -> bool:
    using = router.db_for_write(OutboxMessage)
    new = OutboxMessage.objects.using(using).filter(mode=mode, state=State.NEW)
    due = OutboxLane.objects.using(using).filter(mode=mode, due_at__lte=Now(), standing=Standing.OPEN)
    return new.values("pk").union(due.values("pk"), all=True).exists()
