"""The overview: what the template of the app's index shows, for what the user may see."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils.formats import date_format, number_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from ...conf import conf
from ...insight import overview
from ...insight.findings import Severity
from ...insight.overview import Pair, Span
from ...insight.report import Report
from ...insight.report.period import months
from ...insight.status import Health, health
from ...models import Attribution, Customer, OutboxMessage, Partnership, SyncState, Transaction
from ..business.report import Column, cells, columns_of, names, query_of, visible_to
from ..display.columns import day, in_major_units, time_since
from ..display.links import list_of
from .charts import Chart, Series, Step, steps

#: The pages about the programme, in this order. All others are about the app's work.
BUSINESS = (
    "Partnership",
    "Customer",
    "Transaction",
    "Reward",
    "Attribution",
    "Group",
    "Deal",
    "Lead",
    "Action",
    "ReconciliationRun",
    "ForgottenCustomer",
)
#: How many currencies have a picture. The report has all.
CURRENCIES = 3


@dataclass(frozen=True)
class Tile:
    """``kind``: a class, which has the colour."""

    label: Any
    text: str
    note: str = ""
    kind: str = ""
    url: str = ""


def page(request: HttpRequest, app_list: list[dict[str, Any]]) -> dict[str, Any]:
    """The context of the overview. Takes a limited number of queries."""
    # The banner above has asked already.
    found = getattr(request, "partnerstack_health", None) or health()
    may = _may(request)
    signed_up = overview.sign_ups(conf.mode) if may("attribution") else []
    top = overview.top_partners(conf.mode, visible_to(request)) if may("partnership") else None
    return {
        "tiles": list(_tiles(request, found, may)),
        "charts": [
            *([_sign_ups(request, signed_up)] if may("attribution") else []),
            *(_revenue(request) if may("transaction") else []),
            *([_deliveries(request)] if may("outboxmessage") else []),
        ],
        "funnel": _funnel(request, signed_up) if may("attribution", "customer", "transaction") else [],
        "days": overview.DAYS,
        "top": _top(request, top) if top is not None and top.rows else None,
        "report_url": list_of(request, Partnership, "report") if may("partnership") else "",
        "groups": _groups(app_list),
    }


def _may(request: HttpRequest) -> Callable[..., bool]:
    """Whether the user may see all of these models."""
    return lambda *models: all(request.user.has_perm(f"partnerstack.view_{model}") for model in models)


def _tiles(request: HttpRequest, found: Health, may: Callable[..., bool]) -> Iterator[Tile]:
    words = {Severity.WARN: _("Needs attention"), Severity.ERROR: _("Not working")}
    note = _("{mode} mode").format(mode=found.mode)
    yield Tile(_("Status"), words.get(found.severity, _("Working")), note, found.severity.word)
    if may("outboxmessage"):
        states = found.queue.by_state
        waiting = sum(states.get(name, 0) for name in ("queued", "scheduled", "sending", "unconfirmed"))
        oldest = found.queue.oldest_due_at
        note = _("Delivered in the last day: {number}").format(number=_number(found.queue.delivered_last_day))
        if oldest:
            note = _("The oldest is due for {time}").format(time=time_since(oldest))
        yield Tile(_("To be sent"), _number(waiting), note, "", list_of(request, OutboxMessage))
    if may("syncstate"):
        completed = [sync.completed_at for sync in found.syncs if sync.completed_at]
        text = _("{time} ago").format(time=time_since(min(completed))) if completed else _("Never")
        failed = sum(bool(sync.error) for sync in found.syncs)
        note = _("{number} failed").format(number=failed) if failed else ""
        yield Tile(_("Last sync"), text, note, "warn" if failed else "", list_of(request, SyncState))
    if may("attribution"):
        share = found.sign_ups.attributed_share
        text = "-" if share is None else f"{100 * share:.0f} %"
        note = _("Of the sign-ups of the last {days} days").format(days=overview.DAYS)
        yield Tile(_("Attributed"), text, note, "", list_of(request, Attribution, organic="no"))


def _sign_ups(request: HttpRequest, pairs: list[Pair]) -> Chart:
    def urls(organic: str) -> list[str]:
        return [
            list_of(request, Attribution, organic=organic, **_within("bound_at", pair.span)) for pair in pairs
        ]

    series = [
        _series(_("attributed"), "first", [pair.first for pair in pairs], urls("no")),
        _series(_("organic"), "second", [pair.second for pair in pairs], urls("yes")),
    ]
    title = _("Sign-ups per day")
    days = [day(pair.span.start) for pair in pairs]
    return _chart("sign-ups", title, days, series, list_of(request, Attribution))


def _deliveries(request: HttpRequest) -> Chart:
    pairs = overview.deliveries(conf.mode)

    def urls(state: str) -> list[str]:
        return [
            list_of(request, OutboxMessage, state__exact=state, **_within("finished_at", pair.span))
            for pair in pairs
        ]

    series = [
        _series(_("delivered"), "first", [pair.first for pair in pairs], urls("delivered")),
        _series(_("failed"), "bad", [pair.second for pair in pairs], urls("dead")),
    ]
    hours = [date_format(localtime(pair.span.start), "TIME_FORMAT") for pair in pairs]
    return _chart("deliveries", _("Messages per hour"), hours, series, list_of(request, OutboxMessage))


def _revenue(request: HttpRequest) -> Iterator[Chart]:
    found = overview.revenue(conf.mode)
    labels = [date_format(localtime(span.start), "YEAR_MONTH_FORMAT") for span in overview.last_months()]
    for currency in sorted(found, key=lambda code: -sum(found[code]))[:CURRENCIES]:
        texts = [in_major_units(amount, currency) for amount in found[currency]]
        urls = [
            list_of(
                request,
                Transaction,
                state="present",
                currency=currency,
                **query_of(period, "remote_created_at"),
            )
            for period in months(overview.MONTHS)
        ]
        series = Series(currency, "first", found[currency], texts, urls)
        title = _("Revenue per month, {currency}").format(currency=currency)
        url = list_of(request, Transaction, currency=currency)
        yield _chart(f"revenue-{currency}", title, labels, [series], url)


def _funnel(request: HttpRequest, pairs: list[Pair]) -> list[Step]:
    found = overview.funnel(conf.mode, sum(pair.first for pair in pairs))
    since = Span(pairs[0].span.start, pairs[-1].span.end)
    sign_ups = list_of(request, Attribution, organic="no", **_within("bound_at", since))
    return steps(
        [
            (_("Clicks"), found.clicks, list_of(request, Attribution, **_within("clicked_at", since))),
            (_("Sign-ups"), found.sign_ups, sign_ups),
            (_("First payments"), found.paying, list_of(request, Transaction, state="present")),
        ]
    )


def _top(request: HttpRequest, found: Report) -> dict[str, Any]:
    columns = [column for column in columns_of(found, request) if _is_shown(column)]
    rows = [row for row in found.rows if str(row[0])][: overview.TOP]
    return {
        "labels": [column.label for column in columns],
        "rows": [(names(request, row), list(cells(request, columns, row, found.period))) for row in rows],
        "month": found.period.first,
    }


def _is_shown(column: Column) -> bool:
    return column.model in (Customer, Transaction) and not column.name.startswith(("refunds", "paying"))


def _groups(app_list: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """The app twice, for Django's template: the pages about the programme, then the others."""
    titles = (_("Partner programme"), _("Delivery and sync"))
    found = []
    for app in app_list:
        business = [each for each in app["models"] if each["object_name"] in BUSINESS]
        business.sort(key=lambda each: BUSINESS.index(each["object_name"]))
        others = [each for each in app["models"] if each["object_name"] not in BUSINESS]
        for title, models in zip(titles, (business, others), strict=True):
            if models:
                found.append([{**app, "name": title, "models": models}])
    return found


def _within(column: str, span: Span) -> dict[str, str]:
    return {f"{column}__gte": span.start.isoformat(), f"{column}__lt": span.end.isoformat()}


def _series(label: Any, kind: str, values: list[int], urls: list[str]) -> Series:
    return Series(label, kind, values, [_number(value) for value in values], urls)


def _chart(name: str, title: str, labels: list[str], series: list[Series], url: str) -> Chart:
    totals = [sum(values) for values in zip(*(each.values for each in series), strict=True)]
    largest = max(range(len(totals)), key=totals.__getitem__)
    top = series[0].texts[largest] if len(series) == 1 else _number(totals[largest])
    description = _("From {first} to {last}. The largest is {top}, on {when}.").format(
        first=labels[0], last=labels[-1], top=top, when=labels[largest]
    )
    return Chart(name, title, labels, series, top, description, url)


def _number(value: int) -> str:
    return number_format(value, force_grouping=True)
