"""New messages of forgotten customers, queued by a transaction that did not know yet, or refunds."""

from __future__ import annotations

from ....identity.tombstones import REASON
from ....models import OutboxMessage, State
from ..sequencing.batch import Batch, may_depend
from .erasure import erased


def without_forgotten(messages: list[OutboxMessage], batch: Batch) -> list[OutboxMessage]:
    """
    The messages to sequence. The others are not sent, and nothing personal stays of them.

    A refund is sent, because it only deletes: a partner must not keep the commission for it.
    """
    kept = []
    for message in messages:
        known = batch.forgotten.get(message.lane)
        if known is None or message.forgotten:
            kept.append(message)
            continue
        columns = erased(message, known)
        if may_depend(message):
            kept.append(message)
        else:
            columns |= {"state": State.SKIPPED, "reason": REASON, "finished_at": batch.now}
        batch.messages.filter(pk=message.pk).update(**columns)
        for name, value in columns.items():
            setattr(message, name, value)
    return kept
