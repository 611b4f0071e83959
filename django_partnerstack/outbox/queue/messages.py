"""Queueing a message: one INSERT in the caller's transaction, unless it would be a duplicate."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

from django.db import router, transaction
from django.utils import timezone

from ...client.validation import LONGEST_KEY
from ...exceptions import InvalidArgument, PaymentConflict
from ...identity.customers import Identity, identity_of_key
from ...identity.recorded import record, remember_content, remember_contents
from ...models import Mirror, OutboxMessage
from ...models.bulk import ALWAYS, BoundParam, Condition, insert, none_of
from ...signals import message_queued
from ..operations import OPERATIONS, SAVE_CUSTOMER, UPDATE_CUSTOMER
from .new_message import NewMessage, columns_of
from .once import take_key, take_keys
from .reported_keys import difference_to_mirror

#: NUL as ``json.dumps`` writes it. PostgreSQL cannot store it.
NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


def enqueue(
    message: NewMessage,
    *,
    mode: str,
    using: str | None = None,
    now: datetime | None = None,
    identity: Identity | None = None,
    savepoint: bool = True,
) -> bool:
    """
    Queue a message. Returns whether it was new.

    Queues nothing if the customer's data equal those that were queued last, or if a message with the same
    dedupe key was queued or reported before: safe to repeat. Call it in the transaction that saves what it
    reports, so that both are rolled back together. Its statements have a savepoint, so that their errors do
    not break the caller's transaction. Workers are notified after the commit, by ``message_queued``.

    ``identity``: that of the customer, if the caller has it. ``savepoint``: False in a savepoint of the
    caller.

    Raises InvalidArgument for content that cannot be stored, and PaymentConflict if another payment was
    reported under the key.
    """
    check(message)
    using = using or router.db_for_write(OutboxMessage)
    row = columns_of(message, mode, now)
    with transaction.atomic(using, savepoint=savepoint):
        if row["dedupe_key"] is not None:
            is_new = take_key(row, using)
        elif message.operation == SAVE_CUSTOMER:
            is_new = _remember_data(message, row, identity, using)
        else:
            is_new = True
        queued = is_new and _insert(row, using)
    if queued and not message.skipped:
        notify_workers(message.lane, using)
    return queued


def enqueue_all(messages: Sequence[tuple[NewMessage, Identity | None]], *, mode: str, using: str) -> None:
    """
    Queue messages that are known not to be queued yet, with one INSERT for all. Call it in a savepoint.

    Raises InvalidArgument for content that cannot be stored, and IntegrityError if another process has
    just queued a duplicate. Nothing is queued then.
    """
    for message, _ in messages:
        check(message)
    now = timezone.now()
    rows = [columns_of(message, mode, now) for message, _ in messages]
    take_keys(rows, using)
    remember_contents(
        {
            identity: row["fingerprint"]
            for (message, identity), row in zip(messages, rows, strict=True)
            if identity is not None and message.operation == SAVE_CUSTOMER and not message.skipped
        }
    )
    insert(OutboxMessage, rows, using=using)
    for message, _ in messages:
        if not message.skipped:
            notify_workers(message.lane, using)


def remember_customer(message: NewMessage, *, mode: str, using: str) -> None:
    """Remember the data of a customer that are queued in another way than by ``enqueue``."""
    _remember_data(message, {"mode": mode, "fingerprint": message.fingerprint}, None, using)


def _remember_data(message: NewMessage, row: dict[str, Any], identity: Identity | None, using: str) -> bool:
    """Whether the customer's data differ from those that were queued last; they are the last from now on."""
    mode, content = row["mode"], row["fingerprint"]
    identity = identity or identity_of_key(message.subject, mode=mode, using=using)
    if identity is None:
        identity = record(Identity(mode, using, None, message.subject), last_reported=content)
    return remember_content(identity, content)


def notify_workers(lane: str, using: str) -> None:
    """Send ``message_queued`` after the commit."""
    transaction.on_commit(
        lambda: message_queued.send_robust(sender=OutboxMessage, lane=lane), using, robust=True
    )


def check(message: NewMessage) -> None:
    """
    Raise InvalidArgument for content that no message can hold, or that the client would refuse.

    Checked before the message is queued, when the caller can correct it; in a worker it could only fail.
    """
    name = f"{message.operation} {message.subject!r}"
    try:
        text = json.dumps([message.subject, message.payload], ensure_ascii=False, allow_nan=False)
        text.encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidArgument(f"{name} cannot be stored as JSON: {error}.") from None
    checked_as = UPDATE_CUSTOMER if message.operation == SAVE_CUSTOMER else message.operation
    if (operation := OPERATIONS.get(checked_as)) is not None:
        # As the database will return it: with strings for all names.
        operation.check(json.loads(text)[1])
    if NUL.search(text):
        raise InvalidArgument(f"{name} contains a NUL character; remove it.")
    if len(message.subject) > LONGEST_KEY:
        raise InvalidArgument(f"The key of {name} is longer than {LONGEST_KEY} characters.")


def _insert(row: dict[str, Any], using: str) -> bool:
    operation = OPERATIONS.get(row["operation"])
    if operation is None or not operation.once_in_mirror or operation.model is None or row["reason"]:
        return insert(OutboxMessage, [row], using=using, where=ALWAYS) == 1
    key = row["payload"][operation.key_field]
    condition = not_mirrored(operation.model, operation.key_field, using)
    values = {"mode": row["mode"], "key": key}
    if insert(OutboxMessage, [row], using=using, where=condition.bind(values)) == 1:
        return True
    rows = operation.model._base_manager.using(using)
    mirrored = rows.filter(**{"mode": row["mode"], operation.key_field: key}).first()
    if problem := difference_to_mirror(row, mirrored):
        raise PaymentConflict(problem)
    return False


@cache
def not_mirrored(mirror: type[Mirror], key_field: str, using: str) -> Condition:
    """The condition that a mirror does not have a key, compiled once."""
    rows = mirror._base_manager.all()
    return none_of(rows.filter(**{"mode": BoundParam("mode"), key_field: BoundParam("key")}), using=using)
