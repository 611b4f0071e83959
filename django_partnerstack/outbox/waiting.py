"""Whether there is anything to do, at the price of one query."""

from __future__ import annotations

from django.db import router
from django.db.models import BooleanField, Exists, ExpressionWrapper, Q
from django.db.models.functions import Now

from ..models import OutboxConnection, OutboxLane, OutboxMessage, State


def is_anything_due(mode: str) -> bool:
    """Perhaps, as long as no worker has claimed anything of this mode yet."""
    using = router.db_for_write(OutboxMessage)
    new = OutboxMessage.objects.using(using).filter(mode=mode, state=State.NEW)
    due = OutboxLane.objects.using(using).filter(mode=mode, due_at__lte=Now())
    either = ExpressionWrapper(Q(Exists(new)) | Q(Exists(due)), BooleanField())
    # From a table of one row: MariaDB would carry out a union to its end.
    found = OutboxConnection.objects.using(using).filter(mode=mode).values_list(either, flat=True).first()
    return found is None or found
