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
from ...models import Mirror, OutboxMessage, ReportedKey, State
from ...models.bulk import BoundParam, Condition, insert, none_of
from ...signals import message_queued
from ..operations import OPERATIONS, SAVE_CUSTOMER, UPDATE_CUSTOMER, customer_snapshots


@dataclass(frozen=True, kw_only=True)
class NewMessage:
    """
    A message before it is queued.

    ``lane``: messages of one lane are sent in order; see ``customer_lane``. ``subject``: the key of what it
    is about. ``source`` and ``customer_source``: the host's objects, as ("app.model", primary key).
    """

    operation: str
    lane: str
    subject: str
    payload: dict[str, Any]
    source: tuple[str, str] = ("", "")
    customer_source: tuple[str, str] = ("", "")
    #: What was changed so that PartnerStack takes it, for operators.
    note: str = ""
    #: Why the object is not reported. The message is then only a note.
    skipped: str = ""

    @property
    def dedupe_key(self) -> str:
        """Only one message with this key is ever queued; "": no limit. A note is queued once per reason."""
        if self.skipped:
            return ":".join(("skipped", *self.source, self.skipped))[:300]
        operation = OPERATIONS.get(self.operation)
        return operation.dedupe_key(self.payload) if operation else ""


#: The prefix of the lanes of customers.
CUSTOMER = "customer:"


def customer_lane(customer_key: str) -> str:
    return f"{CUSTOMER}{customer_key}"


#: NUL as ``json.dumps`` writes it. PostgreSQL cannot store it.
NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


def fingerprint(payload: dict[str, Any]) -> str:
    """A hash of the content. It does not depend on the order of names or on the database that returns it."""
    # PostgreSQL returns 1e16 as a whole number and -0.0 without its sign.
    same = json.loads(json.dumps(payload), parse_int=float, parse_float=lambda digits: float(digits) + 0.0)
    return hashlib.sha256(json.dumps(same, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def enqueue(message: NewMessage, *, mode: str, using: str | None = None, now: datetime | None = None) -> bool:
    """
    Queue a message with one INSERT. Returns whether it was new.

    Queues nothing if the customer's data equal those of its last message, or if a message with the same
    dedupe key was queued or reported before: safe to repeat. Call it in the transaction that saves what it
    reports, so that both are rolled back together. The INSERT has a savepoint, so that its errors do not
    break the caller's transaction. Workers are notified after the commit, by the signal ``message_queued``.

    Raises InvalidArgument for content that cannot be stored.
    """
    check(message)
    using = using or router.db_for_write(OutboxMessage)
    row = _row(message, mode, now or timezone.now())
    try:
        with transaction.atomic(using):
            queued = _insert(row, using)
    except IntegrityError:
        # Either another process has just queued the same message, or something is really wrong.
        if not _is_queued(row, using):
            raise
        return False
    if queued and not message.skipped:
        notify_workers(message.lane, using)
    return queued


def enqueue_all(messages: Sequence[NewMessage], *, mode: str, using: str) -> None:
    """
    Queue messages that are known not to be queued yet, with one INSERT for all.

    Raises InvalidArgument for content that cannot be stored, and IntegrityError if another process has
    just queued a duplicate. Nothing is queued then.
    """
    for message in messages:
        check(message)
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


def remember_reported(message: OutboxMessage, using: str) -> None:
    """
    Remember the dedupe key of a delivered message, in the caller's transaction. Safe to repeat.

    A message with the same key is never queued again, even if this message is pruned.
    """
    if message.dedupe_key is not None:
        row = ReportedKey(mode=message.mode, dedupe_key=message.dedupe_key)
        ReportedKey.objects.using(using).bulk_create([row], ignore_conflicts=True)


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


def unsaved(message: NewMessage, mode: str, now: datetime) -> OutboxMessage:
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
        "note": message.note,
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
    is_note, operation = row["state"] == State.SKIPPED, OPERATIONS.get(row["operation"])
    condition = _condition(
        once=row["dedupe_key"] is not None,
        mirror=operation.model if operation and operation.once_in_mirror and not is_note else None,
        key_field=operation.key_field if operation else "",
        snapshots=customer_snapshots() if row["operation"] == SAVE_CUSTOMER and not is_note else (),
        using=using,
    )
    values = {**row, "key": row["payload"].get(operation.key_field) if operation else None}
    return insert(OutboxMessage, [row], using=using, where=condition.bind(values)) == 1


@cache
def _condition(
    *, once: bool, mirror: type[Mirror] | None, key_field: str, snapshots: tuple[str, ...], using: str
) -> Condition:
    """
    The condition that a message is no duplicate, compiled once for each kind of message.

    ``once``: its dedupe key was neither queued nor reported. ``mirror``: no row of this mirror has its key in
    ``key_field``.
    ``snapshots``: the last message of these operations about the same subject has other content.
    """
    before = OutboxMessage.objects.filter(mode=BoundParam("mode"))
    unless: list[QuerySet[Any]] = []
    if once:
        same_key = {"mode": BoundParam("mode"), "dedupe_key": BoundParam("dedupe_key")}
        unless += [model._base_manager.filter(**same_key) for model in (OutboxMessage, ReportedKey)]
    if mirror is not None:
        rows = mirror._base_manager.all()
        unless.append(rows.filter(**{"mode": BoundParam("mode"), key_field: BoundParam("key")}))
    if snapshots:
        same = before.filter(subject=BoundParam("subject"), operation__in=snapshots)
        last = same.order_by("-pk").values("pk")[:1]
        unless.append(OutboxMessage.objects.filter(pk=Subquery(last), fingerprint=BoundParam("fingerprint")))
    return none_of(*unless, using=using)
