"""Reporting an object: its identity is recorded and its message is queued, together."""

from __future__ import annotations

from django.db import transaction

from ...identity.customers import Identity, expected_identity, identity_of, record
from ...models.bulk import combines_statements
from ..operations import SAVE_CUSTOMER
from .at_once import enqueue_at_once
from .builders import Builder
from .messages import NewMessage, check, enqueue


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
    Queue what a builder builds. Returns the message and whether it was new; see ``enqueue``.

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
                if enqueue_at_once(message, expected, mode=mode, using=using):
                    return message, True
        # What is not queued now was reported before, or its customer has another key or none.
        identity = identity or identity_of(builder.customer, mode=mode, using=using, new=new)
        key = identity.key
        message = builder(key)
        changed = at_once and _is_changed(message, identity)
        if changed and enqueue_at_once(message, identity, mode=mode, using=using):
            return message, True
        if not identity.recorded:
            check(message)
            told = message.fingerprint if message.operation == SAVE_CUSTOMER else ""
            identity = record(identity, last_reported=told)
            if identity.key != key:
                message = builder(identity.key)
        return message, enqueue(message, mode=mode, using=using, identity=identity, savepoint=False)


def _is_changed(message: NewMessage, identity: Identity) -> bool:
    """Whether the message has data of a customer that differ from the last."""
    return message.operation == SAVE_CUSTOMER and message.fingerprint != identity.last_reported
