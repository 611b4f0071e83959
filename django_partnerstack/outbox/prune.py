"""Forgetting what was delivered long ago."""

from __future__ import annotations

from datetime import datetime

from django.db import router
from django.db.models import Exists, OuterRef, Q

from ..models import OutboxMessage, State
from .operations import CUSTOMER_SNAPSHOTS

#: Rows deleted in one statement.
BATCH = 1000


def prune(mode: str, before: datetime) -> int:
    """
    Delete messages that were delivered, or noted as not reported, before a time; returns how many.

    A customer's last data stay, since what is saved later is compared with them, and so does an event with a
    key, which is told but once. Dead, held, blocked and organic messages stay too. Safe to repeat and to run
    beside workers.
    """
    using = router.db_for_write(OutboxMessage)
    snapshots = Q(operation__in=CUSTOMER_SNAPSHOTS, subject__gt="")
    later = OutboxMessage.objects.filter(
        snapshots, mode=mode, subject=OuterRef("subject"), pk__gt=OuterRef("pk")
    )
    keyed_events = Q(operation="actions.create", unique_key__isnull=False)
    rows = OutboxMessage.objects.using(using).filter(
        ~snapshots | Q(Exists(later)),
        ~keyed_events,
        mode=mode,
        state__in=(State.DELIVERED, State.SKIPPED),
        finished_at__lt=before,
    )
    pruned = 0
    while pks := list(rows.values_list("pk", flat=True)[:BATCH]):
        pruned += OutboxMessage.objects.using(using).filter(pk__in=pks).delete()[0]
    return pruned
