"""What was last reported about customers and payments, to compare with what their sources return now."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.db.models import Max

from ..models import Customer, OutboxMessage, ReportedKey, State, Transaction
from .operations import CREATE_TRANSACTION, OPERATIONS, customer_snapshots

#: What cannot be corrected at PartnerStack by saving a payment again: the columns of a mirrored transaction.
COMPARED = ("amount", "currency", "customer_external_key")


def customers(keys: Collection[str], *, mode: str, using: str) -> dict[str, str | None]:
    """
    The fingerprints of the customers' last data, by customer key. Takes two queries.

    None for a customer that only PartnerStack has reported, so there is nothing to compare with. Unknown
    customers are left out.
    """
    mirrored = Customer.objects.using(using).filter(mode=mode, customer_key__in=keys)
    found: dict[str, str | None] = dict.fromkeys(mirrored.values_list("customer_key", flat=True))
    messages = OutboxMessage.objects.using(using).filter(mode=mode)
    snapshots = messages.filter(subject__in=keys, operation__in=customer_snapshots()).order_by()
    last = snapshots.values("subject").annotate(last=Max("pk")).values("last")
    return found | dict(messages.filter(pk__in=last).order_by().values_list("subject", "fingerprint"))


@dataclass(frozen=True)
class Payment:
    """
    A reported payment. ``content``: what was reported; empty if the message was deleted and no sync has found
    the payment. ``failed``: its message failed, so PartnerStack may not have it.
    """

    content: dict[str, Any]
    failed: bool = False

    def difference(self, content: dict[str, Any]) -> str:
        """How the content differs from what was reported, in words; empty if it does not."""
        differing = (name for name in COMPARED if self.content.get(name) not in (None, "", content[name]))
        return ", ".join(f"{name} {content[name]!r}, reported {self.content[name]!r}" for name in differing)


def payments(dedupe_keys: Collection[str], *, mode: str, using: str) -> dict[str, Payment]:
    """
    What was queued, reported or mirrored under these dedupe keys, notes included. Takes three queries.
    """
    prefix = OPERATIONS[CREATE_TRANSACTION].dedupe_key({"key": " "}).removesuffix(" ")
    queued = OutboxMessage.objects.using(using).filter(mode=mode, dedupe_key__in=dedupe_keys).order_by()
    # The messages first: when one is deleted, its dedupe key has long been among the reported ones.
    found = {
        str(key): Payment(payload, failed=state == State.FAILED)
        for key, payload, state in queued.values_list("dedupe_key", "payload", "state")
    }
    reported = ReportedKey.objects.using(using).filter(mode=mode, dedupe_key__in=dedupe_keys)
    pruned = dict.fromkeys(reported.values_list("dedupe_key", flat=True), Payment({}))
    keys = [key.removeprefix(prefix) for key in dedupe_keys if key.startswith(prefix)]
    rows = Transaction.objects.using(using).filter(mode=mode, key__in=keys).values("key", *COMPARED)
    return {**pruned, **{f"{prefix}{row['key']}": Payment(row) for row in rows}, **found}
