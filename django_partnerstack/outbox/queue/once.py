"""
Keys that are used once: one message holds the key of a payment, a refund or an event.

The key belongs to its first message from the moment it is queued, and for good from the moment something may
have reached PartnerStack. Until then a corrected message takes the key over.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import router
from django.db.models import Model

from ...exceptions import PaymentConflict
from ...models import OutboxMessage, ReportedKey, State
from ...models.bulk import Condition, Statement, insert, insert_once, insertion_once
from ..operations import OPERATIONS
from .conflicts import REPLACED, withdraw_conflicts
from .reported_keys import difference, is_other_object, key_columns

#: In these states no worker touches a message, so another may take its key over.
FINAL = (State.FAILED, State.CANCELLED)

#: Where the keys of messages are remembered.
REMEMBERING: tuple[type[Model], ...] = (OutboxMessage, ReportedKey)


def take_key(row: dict[str, Any], using: str) -> bool:
    """
    Reserve the dedupe key of a new message. Returns False if the same was queued before.

    ``row``: the columns of the message. A message that PartnerStack cannot have is replaced by one with other
    content. Call it in a savepoint.

    Raises PaymentConflict if another payment was reported under the key.
    """
    if insert_once(ReportedKey, key_columns(row), using=using):
        return True
    if not row["payload"]:
        return False  # A note.
    found = ReportedKey.objects.using(using).get(mode=row["mode"], dedupe_key=row["dedupe_key"])
    about = messages_about([row["subject"]], row["mode"], using)[row["subject"]]
    if is_replaceable(found, row, about) and _cancel(row, about, using):
        ReportedKey.objects.using(using).filter(pk=found.pk).update(**key_columns(row))
        return True
    if problem := difference(found, row):
        raise PaymentConflict(problem)
    if found.conflict is not None and row["source"]:
        withdraw_conflicts([found], using)
    return False


def taking_key(row: dict[str, Any], using: str, where: Condition) -> Statement:
    """The statement that reserves the dedupe key of a new message, if nothing holds it."""
    return insertion_once(ReportedKey, key_columns(row), using=using, where=where)


def take_keys(rows: Sequence[dict[str, Any]], using: str) -> None:
    """Reserve keys that nothing holds, with one statement. Raises IntegrityError if one is held."""
    keys = [key_columns(row) for row in rows if row["dedupe_key"] is not None]
    if keys:
        insert(ReportedKey, keys, using=using)


def holds_its_key(message: OutboxMessage) -> bool:
    """Whether no other message reports its key, so that it may reach PartnerStack."""
    operation = OPERATIONS.get(message.operation)
    key = operation.dedupe_key(message.payload) if operation is not None else ""
    if not key or message.dedupe_key is not None:
        return True
    using = router.db_for_write(OutboxMessage)
    same = {"mode": message.mode, "dedupe_key": key}
    return not any(model._base_manager.using(using).filter(**same).exists() for model in REMEMBERING)


def is_replaceable(found: ReportedKey, row: dict[str, Any], about: Sequence[OutboxMessage]) -> bool:
    """
    Whether what a key was used for may be replaced by another message. Changes nothing.

    It may if PartnerStack cannot have it, the content differs, and nothing depends on it; and if somebody
    deleted its message before PartnerStack had it. ``about``: all messages about the same subject.
    """
    key = key_columns(row)
    if found.reported_at is not None or not row["payload"]:
        return False
    holders = [message for message in about if message.dedupe_key == row["dedupe_key"]]
    if found.fingerprint == key["fingerprint"]:
        return not holders
    depends = any(message.state != State.CANCELLED for message in about if message not in holders)
    return not (depends or is_other_object(found, key)) and all(map(_never_arrived, holders))


def messages_about(subjects: Sequence[str], mode: str, using: str) -> dict[str, list[OutboxMessage]]:
    """The messages of each subject, with one query."""
    found: dict[str, list[OutboxMessage]] = {subject: [] for subject in subjects}
    for message in OutboxMessage.objects.using(using).filter(mode=mode, subject__in=subjects):
        found[message.subject].append(message)
    return found


def _never_arrived(message: OutboxMessage) -> bool:
    in_doubt = message.in_doubt_since or message.first_in_doubt_at
    return message.state in FINAL and in_doubt is None


def _cancel(row: dict[str, Any], about: Sequence[OutboxMessage], using: str) -> bool:
    """Cancel the message that held the key. Returns False if it has been sent or retried meanwhile."""
    for holder in about:
        if holder.dedupe_key == row["dedupe_key"]:
            unchanged = OutboxMessage.objects.using(using).filter(
                pk=holder.pk, state=holder.state, first_in_doubt_at=None
            )
            reason = f"{REPLACED} {holder.reason}".strip()
            if not unchanged.update(state=State.CANCELLED, dedupe_key=None, reason=reason):
                return False
    return True
