"""What was reported under a key, and how a payment differs from it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ...identity.references import Reference
from ...models import OutboxMessage, ReportedKey
from ..operations import CREATE_TRANSACTION, OPERATIONS

#: The fields of a payment that must not change once it is reported.
COMPARED = ("customer_key", "amount", "currency")

#: The columns with the content of a payment.
CONTENT = (*COMPARED, "fingerprint")

#: The content of a payment that PartnerStack does not have any more, although it was not refunded.
NOTHING: dict[str, Any] = {"customer_key": "", "amount": None, "currency": "", "fingerprint": ""}


def key_columns(row: dict[str, Any]) -> dict[str, Any]:
    """The columns of the ``ReportedKey`` of a message, from the message's columns."""
    payload = row["payload"] if row.get("operation") == CREATE_TRANSACTION else {}
    return {
        "mode": row["mode"],
        "dedupe_key": row["dedupe_key"],
        "source": row.get("source", ""),
        "source_pk": row.get("source_pk", ""),
        "namespace": row.get("namespace", ""),
        "customer_key": payload.get("customer_external_key", ""),
        "amount": payload.get("amount"),
        "currency": payload.get("currency", ""),
        "fingerprint": row.get("fingerprint", ""),
        "reported_at": None,
        "conflict": None,
    }


def content_of(found: ReportedKey) -> dict[str, Any]:
    return {name: getattr(found, name) for name in CONTENT}


def payment_dedupe_key(key: str) -> str:
    return OPERATIONS[CREATE_TRANSACTION].dedupe_key({"key": key})


def reported_payment(key: str, *, mode: str, using: str) -> ReportedKey | None:
    """What was reported about a payment, by the site's key."""
    rows = ReportedKey.objects.using(using).filter(mode=mode, dedupe_key=payment_dedupe_key(key))
    return rows.first()


def remember_reported(message: OutboxMessage, using: str, now: datetime) -> None:
    """Remember that PartnerStack has it, so that its key is never used again. Safe to repeat."""
    if message.dedupe_key is not None:
        keys = ReportedKey.objects.using(using).filter(mode=message.mode, dedupe_key=message.dedupe_key)
        keys.update(reported_at=now)


def is_payment(row: dict[str, Any]) -> bool:
    """Whether these columns of a message are those of a payment of the site."""
    # The balance after a refund has a key of its own. Of two refunds at once, the later one finds it taken.
    return row["operation"] == CREATE_TRANSACTION and row["payload"].get("key") == row["subject"]


def difference(found: ReportedKey, row: dict[str, Any]) -> str:
    """How a payment differs from what was reported under its key; empty if it is the same."""
    key = key_columns(row)
    if not is_payment(row):
        return ""
    is_other = is_other_object(found, key)
    if not is_other and all(getattr(found, name) == key[name] for name in COMPARED):
        return ""
    owner = str(source_of(vars(found))) or "another call"
    mine = str(source_of(row)) or "this call"
    hint = "Use another key for another payment."
    if not is_other:
        owner += " before it was changed" if found.source and row["source"] else ""
        hint += " If this one has changed, correct it in the admin, or refund it."
    was = f"was reported by {owner}, with {_money(found)} of customer {found.customer_key!r}"
    if found.amount is None:
        was = f"was reported by {owner}, and deleted at PartnerStack by a correction that was cancelled"
    return (
        f"The transaction key {row['payload']['key']!r} {was}; {mine} has {_money(ReportedKey(**key))} of "
        f"customer {key['customer_key']!r}. Nothing was queued. {hint}"
    )


def difference_to_mirror(row: dict[str, Any], record: Any) -> str:
    """How a payment differs from what PartnerStack has by other means; empty if it is the same."""
    operation = OPERATIONS[row["operation"]]
    found = operation.compare(row["payload"], record).difference
    if not found:
        return ""
    key = row["payload"][operation.key_field]
    return f"PartnerStack has {key!r} already, with {found}. Nothing was queued."


def is_other_object(found: ReportedKey, key: dict[str, Any]) -> bool:
    """
    Whether two objects use one key. Only an object itself, or a call without one, corrects it.

    ``key``: the columns of a ``ReportedKey``. A proxy and its model name the same row; the same primary key
    in two schemas or databases names two.
    """
    if not (found.source and key["source"]):
        return False
    return source_of(vars(found)).row != source_of(key).row


def source_of(columns: dict[str, Any]) -> Reference:
    """The object that a row is about, from its columns."""
    return Reference(columns["source"], columns["source_pk"], columns["namespace"])


def _money(key: ReportedKey) -> str:
    return f"{key.amount} {key.currency} (minor units)"
