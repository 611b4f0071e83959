"""
Queueing with one statement, which writes all or nothing: a round trip less for the site's save.

Nothing here decides what is a duplicate. If the statement writes nothing, for whatever reason, the caller
queues the message in the usual way.
"""

from __future__ import annotations

from typing import Any

from ...identity.customers import Identity, has_key, recording, remembering
from ...models import OutboxMessage
from ...models.bulk import ALWAYS, Condition, Statement, insert_after
from ..operations import OPERATIONS, SAVE_CUSTOMER
from .messages import NewMessage, check, columns_of, not_mirrored, notify_workers
from .once import taking_key


def enqueue_at_once(message: NewMessage, identity: Identity, *, mode: str, using: str) -> bool:
    """
    Queue a new customer, changed data of a recorded customer, or the first message with a dedupe key.

    ``identity``: that of the customer. If it is not recorded, it is recorded with a new customer, and
    verified for another message. Returns False if nothing was written. Call it in a savepoint, and only
    if the database ``combines_statements``.

    Raises InvalidArgument for content that cannot be stored.
    """
    if message.skipped:
        return False
    check(message)
    row = columns_of(message, mode)
    first = _first(row, identity, using)
    queued = first is not None and insert_after(first, OutboxMessage, row, using=using)
    if queued:
        notify_workers(message.lane, using)
    return queued


def _first(row: dict[str, Any], identity: Identity, using: str) -> Statement | None:
    """What is written with the message, and only if the message is new."""
    if row["operation"] == SAVE_CUSTOMER:
        write = remembering if identity.recorded else recording
        return write(identity, row["fingerprint"])
    if row["dedupe_key"] is None:
        return None
    known = ALWAYS if identity.recorded else has_key(identity)
    fresh = _not_mirrored(row, using)
    return taking_key(row, using, Condition(f"{known.sql} AND {fresh.sql}", (*known.params, *fresh.params)))


def _not_mirrored(row: dict[str, Any], using: str) -> Condition:
    operation = OPERATIONS[row["operation"]]
    if not operation.once_in_mirror or operation.model is None:
        return ALWAYS
    values = {"mode": row["mode"], "key": row["payload"][operation.key_field]}
    return not_mirrored(operation.model, operation.key_field, using).bind(values)
