"""The figures of the overview in the admin: what happened in the last hours, days and months."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from django.db.models import Case, Count, Exists, IntegerField, OuterRef, Q, Value, When
from django.utils import timezone

from ..models import Attempt, AttemptOutcome, Attribution, Customer, Transaction
from .report import Report, figures, report
from .report.period import Period, midnight, months, today

DAYS, HOURS, MONTHS = 30, 24, 6
#: How many partners are at the top.
TOP = 5

#: A sign-up with neither a click nor a partner.
ORGANIC = Q(click_id="", partner_key="")
DELIVERED = (AttemptOutcome.DELIVERED, AttemptOutcome.FOUND)
FAILED = (AttemptOutcome.FAILED, AttemptOutcome.DIFFERS)


@dataclass(frozen=True)
class Span:
    """From ``start`` up to, and without, ``end``."""

    start: datetime
    end: datetime


@dataclass(frozen=True)
class Pair:
    """Two numbers of one span."""

    span: Span
    first: int = 0
    second: int = 0


@dataclass(frozen=True)
class Funnel:
    """Attributed sign-ups of the last days: their clicks, how many they are, and how many have paid since."""

    clicks: int = 0
    sign_ups: int = 0
    paying: int = 0


def last_days() -> list[Span]:
    """The last of them is today."""
    first = today() - timedelta(days=DAYS - 1)
    starts = [midnight(first + timedelta(days=number)) for number in range(DAYS + 1)]
    return [Span(start, end) for start, end in pairwise(starts)]


def last_months() -> list[Span]:
    """The last of them is the current month."""
    starts = [midnight(period.first or today()) for period in months(MONTHS)]
    following = (today().replace(day=1) + timedelta(days=31)).replace(day=1)
    return [Span(start, end) for start, end in pairwise([*starts, midnight(following)])]


def last_hours(now: datetime | None = None) -> list[Span]:
    """The last of them is the current hour."""
    now = now or timezone.now()
    first = now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=HOURS - 1)
    starts = [first + timedelta(hours=number) for number in range(HOURS + 1)]
    return [Span(start, end) for start, end in pairwise(starts)]


def sign_ups(mode: str) -> list[Pair]:
    """The attributed and the organic sign-ups of each of the last days. Takes one query."""
    rows = Attribution.objects.filter(mode=mode).order_by()
    counts = {"first": Count("pk", filter=~ORGANIC), "second": Count("pk", filter=ORGANIC)}
    return _pairs(rows, "bound_at", last_days(), counts)


def deliveries(mode: str) -> list[Pair]:
    """The messages that were delivered and that failed, in each of the last hours. Takes one query."""
    rows = Attempt.objects.filter(mode=mode, outcome__in=(*DELIVERED, *FAILED)).order_by()
    counts = {
        "first": Count("pk", filter=Q(outcome__in=DELIVERED)),
        "second": Count("pk", filter=Q(outcome__in=FAILED)),
    }
    return _pairs(rows, "started_at", last_hours(), counts)


def _pairs(rows: Any, column: str, spans: Sequence[Span], counts: dict[str, Count]) -> list[Pair]:
    rows = rows.filter(**{f"{column}__gte": spans[0].start, f"{column}__lt": spans[-1].end})
    found = rows.values(span=_number(column, spans)).annotate(**counts)
    by_number = {row["span"]: (row["first"], row["second"]) for row in found}
    return [Pair(span, *by_number.get(number, (0, 0))) for number, span in enumerate(spans)]


def _number(column: str, spans: Iterable[Span]) -> Case:
    """
    The number of the span of a row that is in one of them.

    Not by the database's own months and days: MariaDB has no time zones by default.
    """
    whens = (When(**{f"{column}__lt": span.end}, then=Value(number)) for number, span in enumerate(spans))
    return Case(*whens, output_field=IntegerField())


def revenue(mode: str) -> dict[str, list[int]]:
    """By currency: the revenue of each of the last months, defined as in the report. Takes three queries."""
    periods = months(MONTHS)
    spans, period = last_months(), Period(periods[0].first, periods[-1].last)
    found: dict[str, list[int]] = defaultdict(lambda: [0] * MONTHS)
    created = figures.created(mode, period).values_list("currency", _number("remote_created_at", spans))
    for currency, number, amount in created.annotate(revenue=figures.REVENUE):
        found[currency][number] += int(amount)
    for rest in figures.rests(mode, period, with_partners=False):
        if rest.is_part and rest.amount:
            _add(found[rest.currency], spans, rest.created_at, -rest.amount)
            _add(found[rest.currency], spans, rest.paid_at, rest.amount)
    return {currency: amounts for currency, amounts in found.items() if any(amounts)}


def _add(amounts: list[int], spans: Sequence[Span], when: datetime, amount: int) -> None:
    for number, span in enumerate(spans):
        if span.start <= when < span.end:
            amounts[number] += amount


def funnel(mode: str, attributed: int) -> Funnel:
    """``attributed``: how many sign-ups of the last days are attributed. Takes two queries."""
    spans = last_days()
    since = Attribution.objects.filter(mode=mode, bound_at__gte=spans[0].start).exclude(ORGANIC)
    paid = Transaction.objects.filter(figures.PAID, mode=mode, customer_key=OuterRef("key"))
    customers = Customer.objects.filter(mode=mode, customer_key__in=since.values("customer_key"))
    paying = customers.filter(Exists(paid)).values("customer_key").distinct().count()
    period = Period(timezone.localtime(spans[0].start).date())
    return Funnel(sum(figures.clicks(mode, period).values()), attributed, paying)


def top_partners(mode: str, visible: Iterable[str]) -> Report:
    """By revenue of the current month; without the right to see transactions, by sign-ups."""
    found = report(mode, months(1)[0], visible=set(visible) & {"customer", "transaction"}, with_paying=False)
    found.sort("-sign_ups")
    currencies = sorted(found.currencies, key=lambda code: -found.total.revenue.get(code, 0))
    if currencies:
        found.sort(f"-revenue-{currencies[0]}")
    return found
