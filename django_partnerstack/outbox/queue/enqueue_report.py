"""
Reporting an object: its identity is recorded and its message is queued, together.

Where the database allows it, with one statement that writes all or nothing. It does not decide what is a
duplicate: if it writes nothing, for whatever reason, the message is queued in the usual way.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction

from ...identity.customers import Identity, expected_identity, has_key, identity_of
from ...identity.recorded import record, recording, remembering
from ...models import OutboxMessage
from ...models.bulk import ALWAYS, Condition, Statement, combines_statements, insert_after
from ..operations import OPERATIONS, SAVE_CUSTOMER
from .builders import Builder, forgotten_note
from .messages import check, enqueue, not_mirrored, notify_workers
from .new_message import NewMessage, columns_of
from .once import taking_key


def enqueue_report(
    builder: Builder,
    *,
    mode: str,
    using: str,
    identity: Identity | None = None,
    new: bool = False,
    first: bool = False,
) -> tuple[NewMessage, bool]:
    """
    Queue what a builder builds. Returns the message and whether it was new; see ``enqueue``. Of a forgotten
    customer, only a note is left.

    ``identity``: that of the customer, if the caller has it. ``new``: the customer was just created.
    ``first``: the object was probably not reported before, so that queueing it is tried before anything is
    read.

    Raises what ``enqueue`` and ``record`` raise. Nothing is recorded or queued then.
    """
    at_once = combines_statements(using)
    with transaction.atomic(using):
        if builder.customer is None:
            message = builder("")
            return message, enqueue(message, mode=mode, using=using, savepoint=False)
        if at_once and first and identity is None:
            expected = expected_identity(builder.customer, mode=mode, using=using)
            if expected is not None:
                message = builder(expected.key)
                if _enqueue_at_once(message, expected, mode=mode, using=using):
                    return message, True
        # What is not queued now was reported before, or its customer has another key or none.
        identity = identity or identity_of(builder.customer, mode=mode, using=using, new=new)
        if identity.forgotten:
            return _note_forgotten(builder(identity.key), mode, using)
        key = identity.key
        message = builder(key)
        changed = at_once and _is_changed(message, identity)
        if changed and _enqueue_at_once(message, identity, mode=mode, using=using):
            return message, True
        if not identity.recorded:
            check(message)
            last = message.fingerprint if message.operation == SAVE_CUSTOMER else ""
            identity = record(identity, last_reported=last)
            if identity.forgotten:
                return _note_forgotten(message, mode, using)
            if identity.key != key:
                message = builder(identity.key)
        return message, enqueue(message, mode=mode, using=using, identity=identity, savepoint=False)


def _note_forgotten(message: NewMessage, mode: str, using: str) -> tuple[NewMessage, bool]:
    note = forgotten_note(message)
    return note, enqueue(note, mode=mode, using=using, savepoint=False)


def _is_changed(message: NewMessage, identity: Identity) -> bool:
    """Whether the message has data of a customer that differ from the last."""
    if message.operation != SAVE_CUSTOMER or message.skipped:
        return False
    check(message)  # Other data may have no fingerprint.
    return message.fingerprint != identity.last_reported


def _enqueue_at_once(message: NewMessage, identity: Identity, *, mode: str, using: str) -> bool:
    """
    Queue a new customer, changed data of a recorded customer, or the first message with a dedupe key.

    One statement in place of three: a SELECT of the identity or an UPDATE of its data, an INSERT of the key,
    and the INSERT of the message. So saving a payment takes four statements on PostgreSQL, with Django's
    INSERT and the savepoint, and six on other databases.

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
