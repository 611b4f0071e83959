"""Queueing a message: one INSERT in the caller's transaction, unless it would be a duplicate."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from django.db import IntegrityError, router, transaction
from django.db.models import QuerySet, Subquery
from django.utils import timezone

from ...client.validation import LONGEST_KEY
from ...exceptions import InvalidArgument
from ...models import OutboxMessage, State
from ...models.bulk import BoundParam, Condition, insert, none_of
from ...signals import message_queued
from ..operations import OPERATIONS, SAVE_CUSTOMER, customer_snapshots


@dataclass(frozen=True, kw_only=True)
class NewMessage:
    """
    A message before it is queued.

    ``lane``: its order; see ``customer_lane``. ``subject``: the key of what it is about. ``source`` and
    ``customer_source``: the host's objects, as ("app.model", primary key).
    """

    operation: str
    lane: str
    subject: str
    payload: dict[str, Any]
    source: tuple[str, str] = ("", "")
    customer_source: tuple[str, str] = ("", "")
    #: Why the object is not reported. The message is then only a note.
    skipped: str = ""

    @property
    def dedupe_key(self) -> str:
        """
        What is queued only once, ever; empty if there is no limit. A note is queued once for each reason.
        """
        if self.skipped:
            return ":".join(("skipped", *self.source, self.skipped))[:300]
        operation = OPERATIONS.get(self.operation)
        return operation.dedupe_key(self.payload) if operation else ""


#: The lanes of customers begin with this.
CUSTOMER = "customer:"


def customer_lane(customer_key: str) -> str:
    return f"{CUSTOMER}{customer_key}"


#: NUL as ``json.dumps`` writes it. PostgreSQL cannot store it.
NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


def fingerprint(payload: dict[str, Any]) -> str:
    """The same for the same content, in any order and as any database returns it."""
    # PostgreSQL returns 1e16 as a whole number and -0.0 without its sign.
    same = json.loads(json.dumps(payload), parse_int=float, parse_float=lambda digits: float(digits) + 0.0)
    return hashlib.sha256(json.dumps(same, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def enqueue(message: NewMessage, *, mode: str, using: str | None = None, now: datetime | None = None) -> bool:
    """
    Queue a message with one INSERT. Returns whether it was new.

    Queues nothing if the customer's data equal those of its last message, or if the message may be queued
    only once and was before: safe to repeat. Call it in the transaction of what it reports; a rollback takes
    the message back. The INSERT has a savepoint, so that its errors do not break the caller's transaction.
    Workers are notified after the commit, by the signal ``message_queued``.

    Raises InvalidArgument for content that no message can hold.
    """
    _check(message)
    using = using or router.db_for_write(OutboxMessage)
    row = _row(message, mode, now or timezone.now())
    try:
        with transaction.atomic(using):
            queued = _insert(row, using)
    except IntegrityError:
        # Another process queued the same at this moment, or something is really wrong.
        if not _is_queued(row, using):
            raise
        return False
    if queued and not message.skipped:
        notify_workers(message.lane, using)
    return queued


def enqueue_all(messages: Sequence[NewMessage], *, mode: str, using: str) -> None:
    """
    Queue messages that are known not to be queued yet, with one INSERT for all.

    Raises InvalidArgument for content that no message can hold, and IntegrityError if another process queued
    one of them at this moment. Nothing is queued then.
    """
    for message in messages:
        _check(message)
    now = timezone.now()
    with transaction.atomic(using):
        insert(OutboxMessage, [_row(message, mode, now) for message in messages], using=using)
    for message in messages:
        if not message.skipped:
            notify_workers(message.lane, using)


def notify_workers(lane: str, using: str) -> None:
    """Send ``message_queued`` after the commit."""
    transaction.on_commit(
        lambda: message_queued.send_robust(sender=OutboxMessage, lane=lane), using, robust=True
    )


def _check(message: NewMessage) -> None:
    """Here the caller learns of it; a worker could only let the message fail."""
    name = f"{message.operation} {message.subject!r}"
    try:
        text = json.dumps([message.subject, message.payload], ensure_ascii=False, allow_nan=False)
        text.encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidArgument(f"{name} cannot be stored as JSON: {error}.") from None
    if NUL.search(text):
        raise InvalidArgument(f"{name} contains a NUL character; remove it.")
    if len(message.subject) > LONGEST_KEY:
        raise InvalidArgument(f"The key of {name} is longer than {LONGEST_KEY} characters.")


def unsaved(message: NewMessage, mode: str, now: datetime) -> OutboxMessage:
    """The row of a message, not saved yet."""
    return OutboxMessage(**_row(message, mode, now))


def _row(message: NewMessage, mode: str, now: datetime) -> dict[str, Any]:
    source, source_pk = message.source
    customer_source, customer_source_pk = message.customer_source
    return {
        "mode": mode,
        "lane": message.lane,
        "operation": message.operation,
        "subject": message.subject,
        "payload": message.payload,
        "attributed_to": {},
        "fingerprint": fingerprint(message.payload),
        "dedupe_key": message.dedupe_key or None,
        "priority": 1,
        "source": source,
        "source_pk": source_pk,
        "customer_source": customer_source,
        "customer_source_pk": customer_source_pk,
        "state": State.SKIPPED if message.skipped else State.QUEUED,
        "attempts": 0,
        "lease_token": "",
        "queued_at": now,
        "finished_at": now if message.skipped else None,
        "reason": message.skipped,
    }


def _is_queued(row: dict[str, Any], using: str) -> bool:
    same = OutboxMessage.objects.using(using).filter(mode=row["mode"], dedupe_key=row["dedupe_key"])
    return row["dedupe_key"] is not None and same.exists()


def _insert(row: dict[str, Any], using: str) -> bool:
    is_note, once = row["state"] == State.SKIPPED, row["dedupe_key"] is not None
    condition = _condition("" if is_note else row["operation"], once, using)
    operation = OPERATIONS.get(row["operation"])
    values = {**row, "key": row["payload"].get(operation.key_field) if operation else None}
    return insert(OutboxMessage, [row], using=using, where=condition.bind(values)) == 1


@cache
def _condition(operation: str, once: bool, using: str) -> Condition:
    """
    The condition that a message is no duplicate, compiled once for each operation.

    ``operation`` is empty for a note of what is not reported.
    """
    before = OutboxMessage.objects.filter(mode=BoundParam("mode"))
    unless: list[QuerySet[Any]] = []
    if once:
        unless.append(before.filter(dedupe_key=BoundParam("dedupe_key")))
    declared = OPERATIONS.get(operation)
    if declared is not None and declared.once_in_mirror and declared.model is not None:
        rows = declared.model._base_manager.all()
        unless.append(rows.filter(mode=BoundParam("mode"), key=BoundParam("key")))
    if operation == SAVE_CUSTOMER:
        snapshots = before.filter(subject=BoundParam("subject"), operation__in=customer_snapshots())
        last = snapshots.order_by("-pk").values("pk")[:1]
        unless.append(OutboxMessage.objects.filter(pk=Subquery(last), fingerprint=BoundParam("fingerprint")))
    return none_of(*unless, using=using)
