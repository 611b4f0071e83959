"""Whether there is anything to do, at the price of one query."""

from __future__ import annotations

from django.db import router
from django.db.models import Exists, Q
from django.db.models.functions import Now

from ..models import OutboxConnection, OutboxLane, OutboxMessage, State


def is_anything_due(mode: str) -> bool:
    """Of a mode whose connection has its row; the first claim makes it."""
    using = router.db_for_write(OutboxMessage)
    new = OutboxMessage.objects.using(using).filter(mode=mode, state=State.NEW)
    due = OutboxLane.objects.using(using).filter(mode=mode, due_at__lte=Now())
    connection = OutboxConnection.objects.using(using).filter(mode=mode)
    return connection.filter(Q(Exists(new)) | Q(Exists(due))).exists()
