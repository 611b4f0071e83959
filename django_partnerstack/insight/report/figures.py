"""
The figures of partners and their definitions: each is one query, which the database aggregates.

All count what PartnerStack has: objects that are neither archived nor missing there. A payment belongs to the
time at which PartnerStack created it, also if a refund has replaced it since.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from typing import Any

from django.db.models import (
    Case,
    CharField,
    Count,
    DateTimeField,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.fields.json import KT
from django.db.models.functions import Cast, Coalesce, Left, Length

from ...attribution.history import LENGTH
from ...conf import conf
from ...models import Attribution, Customer, Reward, Transaction
from ...models.fields import KeyField
from .period import Period

#: What PartnerStack has.
PRESENT = Q(archived=False, missing_since=None)

#: How a key ends that a refund or a correction derived; see ``outbox.keys``.
DERIVED = "~r"
#: The most digits of its number.
DIGITS = 3


def clicks(mode: str, period: Period, partner_keys: Iterable[str] = ()) -> dict[str, int]:
    """
    The recorded clicks by partner key: of each sign-up, the click that counts and the earlier ones.

    A visitor who never signs up leaves no record.
    """
    of_partners = {"partner__in": tuple(partner_keys)} if partner_keys else {}
    everything = Attribution.objects.filter(mode=mode).order_by()
    rows = within(everything, "bound_at", period, later=timedelta(days=conf.attribution_days))
    counting = within(rows, "clicked_at", period).annotate(partner=F("partner_key"))
    earlier = [_earlier(rows, number, period) for number in range(LENGTH - 1)]
    queries = [
        query.filter(**of_partners).exclude(partner="").values("partner").annotate(number=Count("pk"))
        for query in (counting, *earlier)
    ]
    found: dict[str, int] = {}
    for partner_key, number in queries[0].union(*queries[1:], all=True).values_list("partner", "number"):
        found[partner_key] = found.get(partner_key, 0) + number
    return found


def _earlier(rows: QuerySet[Attribution], number: int, period: Period) -> QuerySet[Any]:
    """One of the earlier clicks of each row. Their times are texts in UTC, which sort as the times do."""
    name = f"earlier_clicks__{number}"
    rows = rows.annotate(partner=_key(f"{name}__partner_key"), at=_key(f"{name}__at"))
    if period.start:
        rows = rows.filter(at__gte=_text(period.start))
    if period.end:
        rows = rows.filter(at__lt=_text(period.end))
    return rows.filter(partner__isnull=False)


def _key(path: str) -> Cast:
    """A text in JSON, as a text of the database."""
    return Cast(KT(path), CharField(max_length=255))


def _text(when: datetime) -> str:
    return when.astimezone(timezone.utc).replace(tzinfo=None).isoformat()


def sign_ups(mode: str, period: Period) -> QuerySet[Customer]:
    """The customers that were created at PartnerStack in the period."""
    return within(Customer.objects.filter(PRESENT, mode=mode).order_by(), "remote_created_at", period)


def rewards(mode: str, period: Period) -> QuerySet[Reward]:
    """The rewards that were created in the period. A scheduled one may be created in the future."""
    return within(Reward.objects.filter(PRESENT, mode=mode).order_by(), "remote_created_at", period)


def payments(mode: str, period: Period) -> QuerySet[Transaction]:
    """
    The payments of the period, with all that refunds and corrections have made of them.

    ``paid_at``: when PartnerStack created the payment. ``payment_key``: the key that it was reported under.
    """
    same = Transaction.objects.filter(mode=OuterRef("mode"), key=OuterRef("payment_key"))
    first = Subquery(same.values("remote_created_at")[:1], output_field=DateTimeField())
    rows = Transaction.objects.filter(mode=mode).order_by()
    if period.start:
        rows = rows.filter(remote_created_at__gte=period.start)
    if period.end:
        rows = rows.filter(Q(remote_created_at__lt=period.end) | Q(key__contains=DERIVED))
    is_derived = When(key__contains=DERIVED, then=first)
    rows = rows.annotate(payment_key=_payment_key(), first_at=Case(is_derived, default=None))
    paid_at = Coalesce("first_at", "remote_created_at")
    return within(rows.annotate(paid_at=paid_at), "paid_at", period)


def _payment_key() -> Case:
    """The key that a payment was reported under."""
    ends = (
        When(
            key__regex=rf"{DERIVED}[0-9]{{{digits}}}$",
            then=Left("key", Length("key") - digits - len(DERIVED)),
        )
        for digits in range(1, DIGITS + 1)
    )
    return Case(*ends, default=F("key"), output_field=KeyField())


#: Columns for payments. What was reported first, and what PartnerStack has of it; refunds are the difference.
IS_FIRST = Q(first_at=None) | Q(payment_key=F("key"))
REPORTED = Coalesce(Sum("amount", filter=IS_FIRST & Q(amount__gt=0)), Value(0))
REVENUE = Coalesce(Sum("amount", filter=PRESENT), Value(0))
PAYING = Count("customer_key", distinct=True, filter=PRESENT & Q(amount__gt=0))


def within(
    rows: QuerySet[Any], column: str, period: Period, *, later: timedelta = timedelta(0)
) -> QuerySet[Any]:
    """The rows of a period. ``later``: how long after it, too."""
    if period.start:
        rows = rows.filter(**{f"{column}__gte": period.start})
    if period.end:
        rows = rows.filter(**{f"{column}__lt": period.end + later})
    return rows
