"""The report of partners: a page of its own, and the figures on the page of a partner."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponseBase
from django.http.request import QueryDict
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ...conf import conf
from ...insight.report import Figures, Partner, Period, Report, find_partner, report
from ...insight.report.output import csv_rows
from ...insight.report.partners import ALL_MODELS
from ...insight.report.period import default_period, first_day, last_day, month_before
from ...models import Attribution, Customer, Group, Partnership, Reward, Transaction
from ..actions.export import download
from ..display.columns import EMPTY, in_major_units
from ..display.links import list_of

ROWS = 100
#: How many groups the form offers.
GROUPS = 200


@dataclass(frozen=True)
class Cell:
    text: str
    url: str = ""


@dataclass(frozen=True)
class Column:
    """``name``: what a row is sorted by. ``model`` and ``query``: the list that is behind a figure."""

    name: str
    label: Any
    text: Callable[[Figures], str]
    model: Any
    query: dict[str, str]
    column: str = "remote_created_at"


def report_view(model_admin: Any, request: HttpRequest) -> HttpResponseBase:
    if not model_admin.has_view_permission(request):
        raise PermissionDenied
    period, problem = period_of(request.GET)
    group = request.GET.get("group", "")
    found = report(conf.mode, period, group_key=group or None, visible=visible_to(request))
    order = request.GET.get("o", "partner")
    found.sort(order)
    if "csv" in request.GET:
        if not model_admin.has_export_permission(request):
            raise PermissionDenied
        return download(f"report-{period}", csv_rows(found))
    if problem:
        model_admin.message_user(request, problem, messages.WARNING)
    columns = list(columns_of(found, request))
    page = Paginator(found.rows, ROWS).get_page(request.GET.get("p"))
    context = {
        **model_admin.admin_site.each_context(request),
        "title": _("Partner report"),
        "opts": model_admin.opts,
        "media": model_admin.media,
        "period": period,
        "months": [_month(request, default_period()), _month(request, month_before(default_period()))],
        "groups": Group.objects.filter(mode=conf.mode).order_by("-pk")[:GROUPS],
        "group": group,
        "order": order,
        "heads": [_head(request, order, name, label) for name, label in heads(columns)],
        "rows": [(*names(request, row), list(cells(request, columns, row, period))) for row in page],
        "total": [column.text(found.total) for column in columns],
        "page": page,
        "pages": {number: _with(request, p=str(number)) for number in _around(page)},
        "may_export": model_admin.has_export_permission(request),
        "csv": _with(request, csv="yes"),
    }
    return TemplateResponse(request, "admin/partnerstack/partnership/report.html", context)


def visible_to(request: HttpRequest) -> set[str]:
    """The models whose figures the user may see."""
    return {name for name in ALL_MODELS if request.user.has_perm(f"partnerstack.view_{name}")}


def period_of(given: QueryDict) -> tuple[Period, str]:
    """The period that is asked for, by default the current month, and what is wrong with it."""
    texts = [str(given.get(name, "")) for name in ("from", "to")]
    try:
        first = first_day(texts[0]) if texts[0] else None
        last = last_day(texts[1]) if texts[1] else None
    except ValueError as error:
        return default_period(), _("{error}. This is the current month.").format(error=error)
    if first and last and first > last:
        return default_period(), _("The first day is later than the last. This is the current month.")
    return (Period(first, last) if first or last else default_period()), ""


def columns_of(found: Report, request: HttpRequest) -> Iterator[Column]:
    """The columns that the user may see, with those of each currency."""
    visible, present = visible_to(request), {"state": "present"}
    if "attribution" in visible:
        clicks = _count("clicks")
        yield Column("clicks", _("Clicks seen"), clicks, Attribution, {}, column="clicked_at")
    if "customer" in visible:
        yield Column("sign_ups", _("Sign-ups"), _count("sign_ups"), Customer, present)
    if "transaction" in visible:
        yield Column("paying", _("Paying"), _count("paying"), Transaction, present)
        for code in found.currencies:
            label, query = _("Revenue {currency}").format(currency=code), {**present, "currency": code}
            yield Column(f"revenue-{code}", label, _money("revenue", code), Transaction, query)
        for code in found.currencies:
            label, query = (
                _("Refunds {currency}").format(currency=code),
                {"currency": code, "state": "archived"},
            )
            yield Column(f"refunds-{code}", label, _money("refunds", code), Transaction, query)
    if "reward" in visible:
        for status, code in found.reward_columns:
            label = _("Rewards {status} {currency}").format(status=status or EMPTY, currency=code)
            query = {**present, "currency": code, "reward_status": status}
            yield Column(f"rewards-{status}-{code}", label, _reward(status, code), Reward, query)


def heads(columns: list[Column]) -> list[tuple[str, Any]]:
    own = [("partner", _("Partner")), ("group", _("Group"))]
    return own + [(column.name, column.label) for column in columns]


def names(request: HttpRequest, row: tuple[Partner, Figures]) -> tuple[Cell, str, str]:
    """The partner with a link to its page, its name, and its group."""
    partner = row[0]
    url = list_of(request, Partnership, "change", partner.pk) if partner.pk else ""
    return Cell(str(partner) or _("without a partner"), url), partner.name or partner.email, partner.group


def cells(
    request: HttpRequest, columns: list[Column], row: tuple[Partner, Figures], period: Period
) -> Iterator[Cell]:
    """The figures of a row with links to the lists behind them."""
    partner, figures = row
    for column in columns:
        text, url = column.text(figures), ""
        if str(partner) and text != EMPTY:
            query = {"partner": str(partner), **column.query, **query_of(period, column.column)}
            url = list_of(request, column.model, **query)
        yield Cell(text, url)


def query_of(period: Period, column: str) -> dict[str, str]:
    """The rows of a period, as a query of a list."""
    if period.is_month and period.first:
        return {f"{column}__year": str(period.first.year), f"{column}__month": str(period.first.month)}
    query = {}
    if period.start:
        query[f"{column}__gte"] = period.start.isoformat()
    if period.end:
        query[f"{column}__lt"] = period.end.isoformat()
    return query


def _count(name: str) -> Callable[[Figures], str]:
    return lambda figures: number_format(getattr(figures, name) or EMPTY, force_grouping=True)


def _money(name: str, currency: str) -> Callable[[Figures], str]:
    return lambda figures: _amount(getattr(figures, name), currency)


def _reward(status: str, currency: str) -> Callable[[Figures], str]:
    return lambda figures: _amount(figures.rewards.get(status, {}), currency)


def _amount(money: dict[str, int], currency: str) -> str:
    amount = money.get(currency, 0)
    return in_major_units(amount, currency).removesuffix(f" {currency}") if amount else EMPTY


def _head(request: HttpRequest, order: str, name: str, label: Any) -> dict[str, Any]:
    """A head that sorts: a text from A to Z first, a figure from the largest to the smallest first."""
    first, second = (name, f"-{name}") if name in ("partner", "group") else (f"-{name}", name)
    return {
        "label": label,
        "url": _with(request, o=second if order == first else first, p=""),
        "sorted": {name: "ascending", f"-{name}": "descending"}.get(order, ""),
        "is_figure": name not in ("partner", "group"),
    }


def _month(request: HttpRequest, period: Period) -> dict[str, Any]:
    return {"first": period.first, "url": _with(request, **{"from": str(period), "to": str(period), "p": ""})}


def _with(request: HttpRequest, **changes: str) -> str:
    """The query of this page with changes; an empty value removes one."""
    query = request.GET.copy()
    query.pop("csv", None)
    for name, value in changes.items():
        query.pop(name, None)
        if value:
            query[name] = value
    return f"?{query.urlencode()}"


def _around(page: Any) -> list[int]:
    """The pages that are linked: the first, the last and those around the current."""
    last = page.paginator.num_pages
    return (
        sorted({1, last, *range(max(1, page.number - 2), min(last, page.number + 2) + 1)}) if last > 1 else []
    )


def own_figures(request: HttpRequest) -> Callable[[Partnership], str]:
    """The field with the figures of one partner: this month, last month, and all."""

    def figures(row: Partnership) -> str:
        partner = find_partner(row.mode, row.key)
        if partner is None:
            return EMPTY
        this = default_period()
        periods = {_("This month"): this, _("Last month"): month_before(this), _("All"): Period()}
        visible = visible_to(request)
        found = {
            label: (period, report(row.mode, period, partner=partner, visible=visible))
            for label, period in periods.items()
        }
        columns = list(columns_of(found[_("All")][1], request))
        context = {
            "labels": [column.label for column in columns],
            "rows": [
                (label, list(cells(request, columns, (partner, each.total), period)))
                for label, (period, each) in found.items()
            ],
        }
        return render_to_string("admin/partnerstack/partnership/figures.html", context)

    figures.short_description = gettext_lazy("figures")  # type: ignore[attr-defined]
    return figures
