"""Deleting old delivered messages, and the old attempts of all messages."""

from __future__ import annotations

from datetime import datetime

from django.db import router
from django.db.models import Exists, OuterRef, Q, QuerySet

from ...models import Attempt, OutboxMessage, ReportedKey, State
from ..operations import customer_snapshots

#: Rows deleted in one statement.
BATCH = 1000


def prune(mode: str, before: datetime, *, batches: int | None = None) -> int:
    """
    Delete delivered messages, cancelled data of customers, and notes of objects that are not reported, if
    older than ``before``. Delete all attempts that are older.

    Returns how many messages and attempts. Keeps the last data of each customer, because later data are
    compared with them, and messages that are failed, on hold, blocked, organic or waiting for their customer.
    What was delivered is not reported again, because ``ReportedKey`` remembers it; a note is written again.
    ``batches``: delete at most so many times ``BATCH`` of both; by default all. Safe to repeat and to run
    beside workers.
    """
    using = router.db_for_write(OutboxMessage)
    messages, attempts = _messages(mode, before, using), _attempts(mode, before, using)
    pruned = done = 0
    while done != batches and (pks := list(messages.values_list("pk", flat=True)[:BATCH])):
        old = OutboxMessage.objects.using(using).filter(pk__in=pks)
        notes = list(old.filter(state=State.SKIPPED).values_list("dedupe_key", flat=True))
        ReportedKey.objects.using(using).filter(mode=mode, dedupe_key__in=notes).delete()
        # With their attempts. Django loads what it deletes, but the content is not needed.
        old.only("pk").delete()
        pruned, done = pruned + len(pks), done + 1
    done = 0
    while done != batches and (pks := list(attempts.values_list("pk", flat=True)[:BATCH])):
        pruned += Attempt.objects.using(using).filter(pk__in=pks).delete()[0]
        done += 1
    return pruned


def _messages(mode: str, before: datetime, using: str) -> QuerySet[OutboxMessage]:
    snapshots = Q(operation__in=customer_snapshots(), subject__gt="")
    later = OutboxMessage.objects.filter(
        snapshots, mode=mode, subject=OuterRef("subject"), pk__gt=OuterRef("pk")
    )
    return OutboxMessage.objects.using(using).filter(
        ~snapshots | Q(Exists(later)),
        # Data of a customer that newer data have replaced. Other cancelled messages decide about refunds.
        Q(state__in=(State.DELIVERED, State.SKIPPED)) | Q(snapshots, state=State.CANCELLED),
        Q(finished_at__lt=before) | Q(finished_at=None, queued_at__lt=before),
        mode=mode,
    )


def _attempts(mode: str, before: datetime, using: str) -> QuerySet[Attempt]:
    return Attempt.objects.using(using).filter(mode=mode, started_at__lt=before).order_by("started_at")
