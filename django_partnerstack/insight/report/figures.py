"""
The figures of partners and their definitions: each is one query, which the database aggregates.

All count what PartnerStack has: objects that are neither archived nor missing there. A payment belongs to the
time at which PartnerStack created it, also if a refund has replaced it since.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from django.db.models import BooleanField, CharField, Count, ExpressionWrapper, F, Q, QuerySet, Sum, Value
from django.db.models.fields.json import KT
from django.db.models.functions import Cast, Coalesce

from ...attribution.history import LENGTH
from ...conf import conf
from ...models import Attribution, Customer, Reward, Transaction
from ...outbox.keys import payment_key
from .period import Period

#: What PartnerStack has.
PRESENT = Q(archived=False, missing_since=None)

#: How a key ends that a refund or a correction derived; see ``outbox.keys``.
DERIVED = "~r"
#: How many keys are looked up with one query.
CHUNK = 2000

#: The partner of a transaction's customer.
PARTNER = ("customer__partnership_key", "customer__partner_key")


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
    together = queries[0].union(*queries[1:], all=True).order_by()
    for partner_key, number in together.values_list("partner", "number"):
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


def created(mode: str, period: Period) -> QuerySet[Transaction]:
    """The transactions that PartnerStack created in the period."""
    return within(Transaction.objects.filter(mode=mode).order_by(), "remote_created_at", period)


@dataclass(frozen=True)
class Rest:
    """
    What a refund or a correction has made of a payment.

    ``amount``: None if PartnerStack no longer has it. ``paid_at``: when PartnerStack created the payment.
    ``is_part``: False if the payment was never synced, so that the rest stands for itself.
    """

    partnership_key: str
    partner_key: str
    customer_key: str
    currency: str
    reported: int
    amount: int | None
    created_at: datetime
    paid_at: datetime
    is_part: bool


def rests(mode: str, period: Period, *, with_partners: bool = True, **which: Any) -> list[Rest]:
    """
    The rests that were created or whose payment was created in the period: few, as refunds are.

    ``which``: conditions for the rows. Their payments are looked up by key, because databases plan a join to
    them as if every row were a rest.
    """
    rows = created(mode, Period(period.first)).filter(key__contains=DERIVED, **which)
    is_present = ExpressionWrapper(PRESENT, output_field=BooleanField())
    partner = PARTNER if with_partners else (Value(""), Value(""))
    columns = ("key", "remote_created_at", *partner, "customer_key", "currency", "amount")
    found = [row for row in rows.values_list(*columns, is_present) if payment_key(row[0]) != row[0]]
    paid_at = _creations(mode, [payment_key(row[0]) for row in found])
    return [_rest(row, paid_at) for row in found if row[1]]


def _rest(row: tuple[Any, ...], creations: dict[str, datetime | None]) -> Rest:
    key, created_at, partnership_key, partner_key, customer_key, currency, amount, is_present = row
    return Rest(
        partnership_key or "",
        partner_key or "",
        customer_key,
        currency,
        reported=max(amount or 0, 0),
        amount=amount if is_present else None,
        created_at=created_at,
        paid_at=creations.get(payment_key(key)) or created_at,
        is_part=payment_key(key) in creations,
    )


def _creations(mode: str, keys: list[str]) -> dict[str, datetime | None]:
    rows = Transaction.objects.filter(mode=mode).order_by()
    found: dict[str, datetime | None] = {}
    for start in range(0, len(keys), CHUNK):
        chunk = rows.filter(key__in=keys[start : start + CHUNK])
        found.update(chunk.values_list("key", "remote_created_at"))
    return found


def is_within(when: datetime, period: Period) -> bool:
    start, end = period.start, period.end
    return (start is None or when >= start) and (end is None or when < end)


#: Columns of transactions: what was reported, and what PartnerStack has of it. Refunds are the difference.
REPORTED = Coalesce(Sum("amount", filter=Q(amount__gt=0)), Value(0))
REVENUE = Coalesce(Sum("amount", filter=PRESENT), Value(0))
#: A payment that PartnerStack has.
PAID = PRESENT & Q(amount__gt=0)


def within(
    rows: QuerySet[Any], column: str, period: Period, *, later: timedelta = timedelta(0)
) -> QuerySet[Any]:
    """The rows of a period. ``later``: how long after it, too."""
    if period.start:
        rows = rows.filter(**{f"{column}__gte": period.start})
    if period.end:
        rows = rows.filter(**{f"{column}__lt": period.end + later})
    return rows
