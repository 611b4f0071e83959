"""Deleting old delivered messages."""

from __future__ import annotations

from datetime import datetime

from django.db import router
from django.db.models import Exists, OuterRef, Q

from ...models import OutboxMessage, ReportedKey, State
from ..operations import customer_snapshots

#: Rows deleted in one statement.
BATCH = 1000


def prune(mode: str, before: datetime, *, batches: int | None = None) -> int:
    """
    Delete delivered messages, and notes of objects that are not reported, if older than ``before``.

    Returns how many. Keeps the last data of each customer, because later data are compared with them, and
    messages that are failed, on hold, blocked, organic or waiting for their customer. What was delivered is
    not reported again, because ``ReportedKey`` remembers it; a note is written again. ``batches``: delete at
    most so many times ``BATCH``; by default all. Safe to repeat and to run beside workers.
    """
    using = router.db_for_write(OutboxMessage)
    snapshots = Q(operation__in=customer_snapshots(), subject__gt="")
    later = OutboxMessage.objects.filter(
        snapshots, mode=mode, subject=OuterRef("subject"), pk__gt=OuterRef("pk")
    )
    rows = OutboxMessage.objects.using(using).filter(
        ~snapshots | Q(Exists(later)),
        mode=mode,
        state__in=(State.DELIVERED, State.SKIPPED),
        finished_at__lt=before,
    )
    pruned = done = 0
    while done != batches and (pks := list(rows.values_list("pk", flat=True)[:BATCH])):
        old = OutboxMessage.objects.using(using).filter(pk__in=pks)
        notes = list(old.filter(state=State.SKIPPED).values_list("dedupe_key", flat=True))
        ReportedKey.objects.using(using).filter(mode=mode, dedupe_key__in=notes).delete()
        pruned += old.delete()[0]
        done += 1
    return pruned
