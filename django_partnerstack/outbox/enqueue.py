"""Writing a message down: one INSERT, in the caller's transaction."""

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

from ..client.validation import LONGEST_KEY
from ..exceptions import InvalidArgument
from ..models import OutboxMessage, State, Transaction
from ..models.upsert import Condition, Given, insert, none_of
from ..signals import queued
from .operations import CUSTOMER_SNAPSHOTS, SAVE_CUSTOMER


@dataclass(frozen=True, kw_only=True)
class Draft:
    """
    A message before it is written down.

    ``lane``: what must leave in order; see ``customer_lane``. ``subject``: the key of what it is about.
    ``once``: queue it only if this subject never had the same operation. ``source`` and
    ``customer_source``: the host's objects, as ("app.model", primary key).
    """

    operation: str
    lane: str
    subject: str
    payload: dict[str, Any]
    once: str = ""
    source: tuple[str, str] = ("", "")
    customer_source: tuple[str, str] = ("", "")
    #: Written down for the record alone: not to be reported, and why.
    skipped: str = ""


#: How the lanes of customers begin.
CUSTOMER = "customer:"


def customer_lane(customer_key: str) -> str:
    return f"{CUSTOMER}{customer_key}"


def partnership_lane(key: str) -> str:
    return f"partnership:{key}"


#: As ``json.dumps`` writes NUL, which PostgreSQL cannot hold.
NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


def fingerprint(payload: dict[str, Any]) -> str:
    """The same for the same content, in any order and as any database gives it back."""
    # PostgreSQL writes 1e16 as a whole number and forgets the sign of -0.0.
    same = json.loads(json.dumps(payload), parse_int=float, parse_float=lambda digits: float(digits) + 0.0)
    return hashlib.sha256(json.dumps(same, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def enqueue(draft: Draft, *, mode: str, using: str | None = None, now: datetime | None = None) -> bool:
    """
    Write a message down with one INSERT, and say whether there was anything to write.

    Raises InvalidArgument for what no message can hold.

    Writes nothing if the customer's data are those of its last message, or if it was queued before and is
    to be queued but once: safe to repeat. Call it inside the transaction of what it reports; a rollback
    takes it back. The INSERT has a savepoint of its own, so that an error here does not spoil the
    caller's transaction. Workers are told after the commit, by the ``queued`` signal.
    """
    _check(draft)
    using = using or router.db_for_write(OutboxMessage)
    row = _row(draft, mode, now or timezone.now())
    try:
        with transaction.atomic(using):
            written = _insert(row, using)
    except IntegrityError:
        # Another process has queued the same at this very moment, or something is really wrong.
        if not _is_queued(row, using):
            raise
        return False
    if written and not draft.skipped:
        tell_workers(draft.lane, using)
    return written


def enqueue_all(drafts: Sequence[Draft], *, mode: str, using: str) -> None:
    """
    Write down messages that were looked for and are not queued, with one INSERT for all.

    Raises InvalidArgument for what no message can hold, and IntegrityError if one is queued all the same, in
    this very moment: nothing is written down then.
    """
    for draft in drafts:
        _check(draft)
    now = timezone.now()
    with transaction.atomic(using):
        insert(OutboxMessage, [_row(draft, mode, now) for draft in drafts], using=using)
    for draft in drafts:
        if not draft.skipped:
            tell_workers(draft.lane, using)


def tell_workers(lane: str, using: str) -> None:
    """After the commit."""
    transaction.on_commit(lambda: queued.send_robust(sender=OutboxMessage, lane=lane), using, robust=True)


def _check(draft: Draft) -> None:
    """Here, where the caller can be told; a worker could only find that the message cannot be sent."""
    about = f"{draft.operation} {draft.subject!r}"
    try:
        text = json.dumps([draft.subject, draft.payload], ensure_ascii=False, allow_nan=False)
        text.encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidArgument(f"{about} cannot be written down as JSON: {error}.") from None
    if NUL.search(text):
        raise InvalidArgument(f"{about} holds a NUL character; take it out.")
    if len(draft.subject) > LONGEST_KEY:
        raise InvalidArgument(f"The key of {about} is longer than {LONGEST_KEY} characters.")


def message_from(draft: Draft, mode: str, now: datetime) -> OutboxMessage:
    """The message of a draft, not yet written down."""
    return OutboxMessage(**_row(draft, mode, now))


def _row(draft: Draft, mode: str, now: datetime) -> dict[str, Any]:
    source, source_pk = draft.source
    customer_source, customer_source_pk = draft.customer_source
    return {
        "mode": mode,
        "lane": draft.lane,
        "operation": draft.operation,
        "subject": draft.subject,
        "payload": draft.payload,
        "credit": {},
        "fingerprint": fingerprint(draft.payload),
        "unique_key": draft.once or None,
        "rank": 1,
        "source": source,
        "source_pk": source_pk,
        "customer_source": customer_source,
        "customer_source_pk": customer_source_pk,
        "state": State.SKIPPED if draft.skipped else State.NEW,
        "attempts": 0,
        "token": "",
        "queued_at": now,
        "finished_at": now if draft.skipped else None,
        "reason": draft.skipped,
    }


def _is_queued(row: dict[str, Any], using: str) -> bool:
    same = OutboxMessage.objects.using(using).filter(mode=row["mode"], unique_key=row["unique_key"])
    return row["unique_key"] is not None and same.exists()


def _insert(row: dict[str, Any], using: str) -> bool:
    skipped, once = row["state"] == State.SKIPPED, row["unique_key"] is not None
    condition = _condition("" if skipped else row["operation"], once, using)
    values = {**row, "key": row["payload"].get("key")}
    return insert(OutboxMessage, [row], using=using, where=condition.given(values)) == 1


@cache
def _condition(operation: str, once: bool, using: str) -> Condition:
    """
    That a message with the values given is no repetition, and so is to be written down.

    ``operation`` is empty for a note of what is not reported.
    """
    before = OutboxMessage.objects.filter(mode=Given("mode"))
    unless: list[QuerySet[Any]] = []
    if once:
        unless.append(before.filter(unique_key=Given("unique_key")))
    if operation == "transactions.create":
        # Also one whose message was pruned long ago, or that was reported by other means.
        unless.append(Transaction.objects.filter(mode=Given("mode"), key=Given("key")))
    if operation == SAVE_CUSTOMER:
        snapshots = before.filter(subject=Given("subject"), operation__in=CUSTOMER_SNAPSHOTS)
        last = snapshots.order_by("-pk").values("pk")[:1]
        same = OutboxMessage.objects.filter(pk=Subquery(last), fingerprint=Given("fingerprint"))
        unless.append(same)
    return none_of(*unless, using=using)
