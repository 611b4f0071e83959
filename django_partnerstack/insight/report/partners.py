"""The report of partners: the figures of each in a period, and their totals. Amounts are in minor units."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from operator import attrgetter
from typing import Any

from django.db.models import Count, Sum

from ...models import Group, Partnership
from . import figures
from .period import Period

#: Amounts by currency. They are never added across currencies.
Money = dict[str, int]

#: What a reader may see: the figures, by the model that they are counted in.
ALL_MODELS = frozenset({"attribution", "customer", "transaction", "reward"})


@dataclass(frozen=True)
class Partner:
    """A partner as synced. All texts are empty for what has no partner."""

    key: str = ""
    partner_key: str = ""
    name: str = ""
    email: str = ""
    group_key: str = ""
    group: str = ""
    pk: int | None = None

    def __str__(self) -> str:
        return self.partner_key or self.key


@dataclass
class Figures:
    """The figures of one partner, or of several together. ``rewards``: by status."""

    clicks: int = 0
    sign_ups: int = 0
    paying: int = 0
    revenue: Money = field(default_factory=lambda: defaultdict(int))
    refunds: Money = field(default_factory=lambda: defaultdict(int))
    rewards: dict[str, Money] = field(default_factory=lambda: defaultdict(lambda: defaultdict(int)))

    def count(self, currency: str, reported: int, revenue: int) -> None:
        """Payments: what was reported, and what PartnerStack has of it."""
        self.revenue[currency] += int(revenue)
        self.refunds[currency] += int(reported - revenue)

    def drop_nothing(self) -> None:
        """Without the currencies of payments that belong to another period."""
        for currency in [code for code, amount in self.revenue.items() if not (amount or self.refunds[code])]:
            del self.revenue[currency], self.refunds[currency]

    def add(self, other: Figures) -> None:
        self.clicks += other.clicks
        self.sign_ups += other.sign_ups
        self.paying += other.paying
        pairs = [(self.revenue, other.revenue), (self.refunds, other.refunds)]
        pairs += [(self.rewards[status], money) for status, money in other.rewards.items()]
        for total, money in pairs:
            for currency, amount in money.items():
                total[currency] += amount


@dataclass
class Report:
    """``rows``: the partners with any figure in the period; last, what has no partner."""

    mode: str
    period: Period
    rows: list[tuple[Partner, Figures]]

    def __post_init__(self) -> None:
        self.total = Figures()
        for _partner, figures_ in self.rows:
            self.total.add(figures_)

    @property
    def currencies(self) -> list[str]:
        """Of revenue and refunds."""
        return sorted({*self.total.revenue, *self.total.refunds})

    @property
    def reward_columns(self) -> list[tuple[str, str]]:
        """The statuses and currencies of rewards."""
        rewards = self.total.rewards.items()
        return sorted((status, currency) for status, money in rewards for currency in money)

    def sort(self, column: str) -> None:
        """
        Sort by a column of ``sort_keys``; with "-" the largest first. Others change nothing.

        What has no partner stays last.
        """
        key = sort_keys(self).get(column.removeprefix("-"))
        if key is not None:
            self.rows.sort(key=key, reverse=column.startswith("-"))
            self.rows.sort(key=lambda row: not str(row[0]))


Row = tuple[Partner, Figures]


def sort_keys(report: Report) -> dict[str, Callable[[Row], Any]]:
    """What a row is sorted by, by the name of the column."""
    keys: dict[str, Callable[[Row], Any]] = {
        "partner": lambda row: str(row[0]).casefold(),
        "group": lambda row: row[0].group.casefold(),
        "clicks": lambda row: row[1].clicks,
        "sign_ups": lambda row: row[1].sign_ups,
        "paying": lambda row: row[1].paying,
    }
    for code in report.currencies:
        keys[f"revenue-{code}"] = _amount(attrgetter("revenue"), code)
        keys[f"refunds-{code}"] = _amount(attrgetter("refunds"), code)
    for status, code in report.reward_columns:
        keys[f"rewards-{status}-{code}"] = _amount(partial(_rewards_of, status), code)
    return keys


def _amount(money: Callable[[Figures], Money], currency: str) -> Callable[[Row], int]:
    return lambda row: money(row[1]).get(currency, 0)


def _rewards_of(status: str, figures: Figures) -> Money:
    return figures.rewards.get(status, {})


def report(
    mode: str,
    period: Period,
    *,
    partner: Partner | None = None,
    group_key: str | None = None,
    visible: Iterable[str] = ALL_MODELS,
    with_paying: bool = True,
) -> Report:
    """
    The report of all partners, of one ``partner`` or of the partners of a group.

    ``visible``: the models, of ALL_MODELS, whose figures are counted. ``with_paying``: whether customers who
    paid are counted. A few queries, whose number does not depend on the number of partners and payments.
    """
    known = Partners(mode) if partner is None else Partners(mode, [partner])
    found: dict[Partner, Figures] = defaultdict(Figures)
    for model, read in READERS.items():
        if model in visible:
            read(found, known, mode, period, partner)
    if with_paying and "transaction" in visible:
        _paying(found, known, mode, period, partner)
    for each in found.values():
        each.drop_nothing()
    rows = [row for row in found.items() if row[1] != Figures()]
    if group_key is not None:
        rows = [row for row in rows if row[0].group_key == group_key]
    result = Report(mode, period, rows)
    result.sort("partner")
    return result


class Partners:
    """The partners of a mode. Takes two queries, or none if they are given."""

    def __init__(self, mode: str, given: list[Partner] | None = None) -> None:
        everyone = read_partners(mode) if given is None else given
        self.by_key = {partner.key: partner for partner in everyone if partner.key}
        self.by_partner_key = {partner.partner_key: partner for partner in everyone if partner.partner_key}

    def of(self, key: str, partner_key: str = "") -> Partner:
        """The partner with a key, or else a partner key; one that was never synced has these keys only."""
        found = self.by_key.get(key) or self.by_partner_key.get(partner_key)
        return found or Partner(key=key, partner_key=partner_key)


def read_partners(mode: str, **which: Any) -> list[Partner]:
    groups = dict(Group.objects.filter(mode=mode).order_by("pk").values_list("key", "name"))
    names = ("key", "partner_key", "first_name", "last_name", "email", "group_key", "pk")
    rows = Partnership.objects.filter(mode=mode, **which).order_by("pk").values_list(*names)
    return [
        Partner(
            key,
            partner_key,
            f"{first} {last}".strip(),
            email,
            group_key,
            groups.get(group_key) or group_key,
            pk,
        )
        for key, partner_key, first, last, email, group_key, pk in rows
    ]


def find_partner(mode: str, text: str) -> Partner | None:
    """A partner by partner key, PartnerStack's own key or e-mail address, in this order."""
    for column in ("partner_key", "key", "email__iexact"):
        if found := read_partners(mode, **{column: text}):
            return found[-1]
    return None


Found = dict[Partner, Figures]


def _clicks(found: Found, known: Partners, mode: str, period: Period, partner: Partner | None) -> None:
    keys = [partner.partner_key] if partner else []
    for partner_key, number in figures.clicks(mode, period, keys).items():
        found[known.of("", partner_key)].clicks += number


def _sign_ups(found: Found, known: Partners, mode: str, period: Period, partner: Partner | None) -> None:
    rows = figures.sign_ups(mode, period)
    if partner:
        rows = rows.filter(partnership_key=partner.key)
    grouped = rows.values_list("partnership_key", "partner_key").annotate(number=Count("pk"))
    for key, partner_key, number in grouped:
        found[known.of(key, partner_key)].sign_ups += number


def _payments(found: Found, known: Partners, mode: str, period: Period, partner: Partner | None) -> None:
    of_partner = _of(partner)
    created = figures.created(mode, period).filter(**of_partner)
    money = created.values_list(*figures.PARTNER, "currency")
    for key, partner_key, currency, reported, revenue in money.annotate(
        reported=figures.REPORTED, revenue=figures.REVENUE
    ):
        found[known.of(key or "", partner_key or "")].count(currency, reported, revenue)
    for rest in figures.rests(mode, period, **of_partner):
        # A part was not reported itself, and belongs to the time of its payment.
        if rest.is_part:
            is_created = figures.is_within(rest.created_at, period)
            moved = figures.is_within(rest.paid_at, period) - is_created
            row = found[known.of(rest.partnership_key, rest.partner_key)]
            row.count(rest.currency, -rest.reported * is_created, (rest.amount or 0) * moved)


def _paying(found: Found, known: Partners, mode: str, period: Period, partner: Partner | None) -> None:
    """Customers with a whole payment, and then those who have only the rest of one."""
    of_partner = _of(partner)
    whole = figures.created(mode, period).filter(figures.PAID, **of_partner)
    whole = whole.exclude(key__contains=figures.DERIVED)
    numbers = whole.values_list(*figures.PARTNER).annotate(number=Count("customer_key", distinct=True))
    for key, partner_key, number in numbers:
        found[known.of(key or "", partner_key or "")].paying += number
    rests = figures.rests(mode, period, **of_partner)
    parts = [rest for rest in rests if figures.is_within(rest.paid_at, period) and (rest.amount or 0) > 0]
    partner_of = {rest.customer_key: known.of(rest.partnership_key, rest.partner_key) for rest in parts}
    customers, counted = list(partner_of), set[str]()
    for start in range(0, len(customers), figures.CHUNK):
        same = whole.filter(customer_key__in=customers[start : start + figures.CHUNK])
        counted.update(same.values_list("customer_key", flat=True))
    for customer in set(partner_of) - counted:
        found[partner_of[customer]].paying += 1


def _of(partner: Partner | None) -> dict[str, Any]:
    return {"customer__partnership_key": partner.key} if partner else {}


def _rewards(found: Found, known: Partners, mode: str, period: Period, partner: Partner | None) -> None:
    rows = figures.rewards(mode, period)
    if partner:
        rows = rows.filter(partnership_key=partner.key)
    grouped = rows.values_list("partnership_key", "currency", "reward_status").annotate(sum=Sum("amount"))
    for key, currency, status, amount in grouped:
        found[known.of(key)].rewards[status][currency] += int(amount or 0)


#: By the model that a reader must be allowed to see.
READERS: dict[str, Callable[[Found, Partners, str, Period, Partner | None], None]] = {
    "attribution": _clicks,
    "customer": _sign_ups,
    "transaction": _payments,
    "reward": _rewards,
}
