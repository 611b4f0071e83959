"""Reporting an object: its identity is recorded and its message is queued, together."""

from __future__ import annotations

from django.db import transaction

from ...identity.customers import Identity, identity_of, record
from ..operations import SAVE_CUSTOMER
from .builders import Builder
from .messages import NewMessage, check, enqueue, fingerprint


def enqueue_report(
    builder: Builder, *, mode: str, using: str, identity: Identity | None = None, new: bool = False
) -> tuple[NewMessage, bool]:
    """
    Queue what a builder builds. Returns the message and whether it was new; see ``enqueue``.

    ``identity``: that of the customer, if the caller has it. ``new``: the customer was just created.

    Raises what ``enqueue`` and ``record`` raise. Nothing is recorded or queued then.
    """
    with transaction.atomic(using):
        if builder.customer is None:
            message = builder("")
            return message, enqueue(message, mode=mode, using=using, savepoint=False)
        identity = identity or identity_of(builder.customer, mode=mode, using=using, new=new)
        key = identity.key
        message = builder(key)
        if not identity.recorded:
            check(message)
            told = fingerprint(message.payload) if message.operation == SAVE_CUSTOMER else ""
            identity = record(identity, last_reported=told)
            if identity.key != key:
                message = builder(identity.key)
        return message, enqueue(message, mode=mode, using=using, identity=identity, savepoint=False)
