"""Payments that another integration reports, too: a sign of it that a few rows show, for the status."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import router

from ...models import ReportedKey, Transaction
from ...outbox.operations import CREATE_TRANSACTION, OPERATIONS

#: Two transactions of one customer, amount and currency within this time may be one payment.
SAME_PAYMENT = timedelta(days=1)

#: How many of the newest transactions are looked at.
NEWEST = 500

#: PartnerStack's key of the customer, the amount and the currency.
Content = tuple[str, int | None, str]


def double_reports(mode: str) -> int:
    """
    How many of the newest transactions this site has not reported, although it has reported one of the same
    customer, amount and currency within a day. Takes two queries. ``partnerstack_reconcile`` looks at all.
    """
    columns = ("key", "remote_created_at", "archived", "missing_since", "customer_key", "amount", "currency")
    everything = Transaction.objects.using(router.db_for_write(Transaction)).filter(mode=mode)
    rows = everything.filter(remote_created_at__isnull=False).exclude(customer_key="")
    newest = rows.order_by("-remote_created_at").values_list(*columns)[:NEWEST]
    present = [
        (key, at, (customer, amount, currency))
        for key, at, is_archived, missing_since, customer, amount, currency in newest
        if not is_archived and missing_since is None
    ]
    reported = _reported([key for key, _, _ in present], mode)
    times: dict[Content, list[datetime]] = {}
    for key, at, content in present:
        if key in reported:
            times.setdefault(content, []).append(at)
    return sum(
        any(abs(at - other) <= SAME_PAYMENT for other in times.get(content, ()))
        for key, at, content in present
        if key not in reported
    )


def _reported(keys: list[str], mode: str) -> set[str]:
    """The transactions of these that this site has reported."""
    dedupe_keys = {OPERATIONS[CREATE_TRANSACTION].dedupe_key({"key": key}): key for key in keys}
    everything = ReportedKey.objects.using(router.db_for_write(ReportedKey)).filter(mode=mode)
    found = everything.filter(dedupe_key__in=list(dedupe_keys))
    return {dedupe_keys[each] for each in found.values_list("dedupe_key", flat=True)} if keys else set()
