"""
Keys that are used once: one message holds the key of a payment, a refund or an event.

The key belongs to its first message from the moment it is queued, and for good from the moment something may
have reached PartnerStack. Until then a corrected message takes the key over.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.apps import apps
from django.db import DEFAULT_DB_ALIAS
from django.db.models import Model

from ...exceptions import KeyCollision
from ...identity.objects import root_of
from ...models import CustomerIdentity, OutboxMessage, ReportedKey, State
from ...models.bulk import Condition, Statement, insert, insert_once, insertion_once
from ..operations import CREATE_TRANSACTION, OPERATIONS

REPLACED = "Replaced by newer data."

#: In these states no worker touches a message, so another may take its key over.
FINAL = (State.FAILED, State.CANCELLED)

#: The fields of a payment that must not change once it is reported.
COMPARED = ("customer_key", "amount", "currency")


def take_key(row: dict[str, Any], using: str) -> bool:
    """
    Reserve the dedupe key of a new message. Returns False if the same was queued before.

    ``row``: the columns of the message. A message that PartnerStack cannot have gives way to one with other
    content. Call it in a savepoint.

    Raises KeyCollision if another payment was reported under the key.
    """
    if insert_once(ReportedKey, key_columns(row), using=using):
        return True
    if not row["payload"]:
        return False  # A note.
    found = ReportedKey.objects.using(using).get(mode=row["mode"], dedupe_key=row["dedupe_key"])
    about = messages_about([row["subject"]], row["mode"], using)[row["subject"]]
    if gives_way(found, row, about) and _cancel(row, about, using):
        ReportedKey.objects.using(using).filter(pk=found.pk).update(**key_columns(row))
        return True
    if problem := collision(found, row):
        raise KeyCollision(problem)
    return False


def taking_key(row: dict[str, Any], using: str, where: Condition) -> Statement:
    """The statement that reserves the dedupe key of a new message, if nothing holds it."""
    return insertion_once(ReportedKey, key_columns(row), using=using, where=where)


def replace_key(message: OutboxMessage, using: str) -> None:
    """Remember what a payment is corrected to, so that the corrected object agrees with what was reported."""
    if (found := key_of(message, using)) is not None:
        columns = {field.attname: getattr(message, field.attname) for field in message._meta.concrete_fields}
        key = key_columns({**columns, "dedupe_key": found.dedupe_key})
        for name in (*COMPARED, "fingerprint"):
            setattr(found, name, key[name])
        found.save(using=using, update_fields=[*COMPARED, "fingerprint"])


def key_of(message: OutboxMessage, using: str) -> ReportedKey | None:
    """What was used under the key of a message, also if the message itself does not hold it."""
    dedupe_key = OPERATIONS[message.operation].dedupe_key(message.payload)
    return ReportedKey.objects.using(using).filter(mode=message.mode, dedupe_key=dedupe_key).first()


def take_keys(rows: Sequence[dict[str, Any]], using: str) -> None:
    """Reserve keys that nothing holds, with one statement. Raises IntegrityError if one is held."""
    keys = [key_columns(row) for row in rows if row["dedupe_key"] is not None]
    if keys:
        insert(ReportedKey, keys, using=using)


def take_note(dedupe_key: str, mode: str, using: str) -> bool:
    """Reserve a key that no content belongs to. Returns False if it is held."""
    return insert_once(ReportedKey, key_columns({"mode": mode, "dedupe_key": dedupe_key}), using=using)


def collision(found: ReportedKey, row: dict[str, Any]) -> str:
    """How a payment differs from what was reported under its key; empty if it is the same."""
    key = key_columns(row)
    # The balance after a refund has a key of its own. Of two refunds at once, the later one finds it taken.
    if row["operation"] != CREATE_TRANSACTION or row["payload"].get("key") != row["subject"]:
        return ""
    is_other = is_other_object(found, key)
    if not is_other and all(getattr(found, name) == key[name] for name in COMPARED):
        return ""
    owner = f"{found.source} {found.source_pk}".strip() or "another call"
    mine = f"{row['source']} {row['source_pk']}".strip() or "this call"
    hint = "Use another key for another payment."
    if not is_other:
        owner += " before it was changed" if found.source and row["source"] else ""
        hint += " If this one has changed, correct it in the admin, or refund it."
    return (
        f"The transaction key {row['payload']['key']!r} was reported by {owner}, with {_money(found)} of "
        f"customer {found.customer_key!r}; {mine} has {_money(ReportedKey(**key))} of customer "
        f"{key['customer_key']!r}. Nothing was queued. {hint}"
    )


def mirror_collision(row: dict[str, Any], record: Any) -> str:
    """How a payment differs from what PartnerStack has by other means; empty if it is the same."""
    operation = OPERATIONS[row["operation"]]
    difference = operation.compare(row["payload"], record).difference
    if not difference:
        return ""
    key = row["payload"][operation.key_field]
    return f"PartnerStack has {key!r} already, with {difference}. Nothing was queued."


def gives_way(found: ReportedKey, row: dict[str, Any], about: Sequence[OutboxMessage]) -> bool:
    """
    Whether what a key was used for gives way to another message. Changes nothing.

    It does if PartnerStack cannot have it, the content differs, and nothing depends on it; and if somebody
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


def remember_reported(message: OutboxMessage, using: str, now: datetime) -> None:
    """Remember that PartnerStack has it, so that its key is never used again. Safe to repeat."""
    if message.dedupe_key is not None:
        keys = ReportedKey.objects.using(using).filter(mode=message.mode, dedupe_key=message.dedupe_key)
        keys.update(reported_at=now)


def is_other_object(found: ReportedKey, key: dict[str, Any]) -> bool:
    """
    Whether two objects use one key. Only an object itself, or a call without one, corrects it.

    ``key``: the columns of a ``ReportedKey``. A proxy and its model name the same row. The same row of two
    tenants or databases is told apart by its customers.
    """
    if not (found.source and key["source"]):
        return False
    if (_table(found.source), found.source_pk) != (_table(key["source"]), key["source_pk"]):
        return True
    if found.customer_key == key["customer_key"]:
        return False
    using = found._state.db or DEFAULT_DB_ALIAS
    places = CustomerIdentity.objects.using(using).filter(
        mode=found.mode, key__in=(found.customer_key, key["customer_key"])
    )
    return len(set(places.values_list("namespace", flat=True))) > 1


def _table(label: str) -> str:
    """The table of the topmost parent of a model; its label if it was removed."""
    try:
        model: type[Model] = apps.get_model(label)
        return root_of(model)._meta.db_table
    except LookupError:
        return label


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


def _money(key: ReportedKey) -> str:
    return f"{key.amount} {key.currency} (minor units)"


def key_columns(row: dict[str, Any]) -> dict[str, Any]:
    """The columns of the ``ReportedKey`` of a message, from the message's columns."""
    payload = row["payload"] if row.get("operation") == CREATE_TRANSACTION else {}
    return {
        "mode": row["mode"],
        "dedupe_key": row["dedupe_key"],
        "source": row.get("source", ""),
        "source_pk": row.get("source_pk", ""),
        "customer_key": payload.get("customer_external_key", ""),
        "amount": payload.get("amount"),
        "currency": payload.get("currency", ""),
        "fingerprint": row.get("fingerprint", ""),
        "reported_at": None,
    }
