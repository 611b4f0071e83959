"""How long delivered messages are kept."""

from __future__ import annotations

from datetime import datetime

from django.db import router
from django.db.models import Exists, OuterRef, Q

from ...models import OutboxMessage, State
from ..operations import customer_snapshots, names

#: Rows deleted in one statement.
BATCH = 1000


def prune(mode: str, before: datetime) -> int:
    """
    Delete messages that were delivered, or noted as not reported, before a time. Returns how many.

    The last data of a customer stay, because what is saved later is compared with them; so does what an
    operation keeps with its key, such as an event that is reported once. Failed, held, blocked and organic
    messages stay too. Safe to repeat and to run beside workers.
    """
    using = router.db_for_write(OutboxMessage)
    snapshots = Q(operation__in=customer_snapshots(), subject__gt="")
    later = OutboxMessage.objects.filter(
        snapshots, mode=mode, subject=OuterRef("subject"), pk__gt=OuterRef("pk")
    )
    kept = Q(operation__in=names(lambda operation: operation.kept_with_key), dedupe_key__isnull=False)
    rows = OutboxMessage.objects.using(using).filter(
        ~snapshots | Q(Exists(later)),
        ~kept,
        mode=mode,
        state__in=(State.DELIVERED, State.SKIPPED),
        finished_at__lt=before,
    )
    pruned = 0
    while pks := list(rows.values_list("pk", flat=True)[:BATCH]):
        pruned += OutboxMessage.objects.using(using).filter(pk__in=pks).delete()[0]
    return pruned
