"""The dates above a list, without reading the whole table: Django's own asks which of them have rows."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from datetime import date
from typing import Any

from django.db.models import Subquery
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from .filters import ALL, ModeFilter


def hierarchy(changelist: Any) -> dict[str, Any]:
    """The context of Django's template: years between the first and the last row, their months and days."""
    name = changelist.date_hierarchy
    year, month, day = (_number(changelist, f"{name}__{part}") for part in ("year", "month", "day"))

    def link(chosen: date | None, parts: int) -> str:
        names = ("year", "month", "day")[:parts]
        given = {f"{name}__{part}": getattr(chosen, part) for part in names}
        return changelist.get_query_string(given, [f"{name}__"])

    if not year:
        years = [date(number, 1, 1) for number in _years(changelist)]
        return {"show": bool(years), "choices": [_choice(each, "Y", link(each, 1)) for each in years]}
    chosen = date(year, month or 1, day or 1)
    if not month:
        months = [date(year, number, 1) for number in range(1, 13)]
        return {
            "show": True,
            "back": {"link": link(None, 0), "title": _("All dates")},
            "choices": [_choice(each, "YEAR_MONTH_FORMAT", link(each, 2)) for each in months],
        }
    if not day:
        days = [date(year, month, number) for number in range(1, monthrange(year, month)[1] + 1)]
        return {
            "show": True,
            "back": {"link": link(chosen, 1), "title": str(year)},
            "choices": [_choice(each, "MONTH_DAY_FORMAT", link(each, 3)) for each in days],
        }
    return {
        "show": True,
        "back": {"link": link(chosen, 2), "title": capfirst(date_format(chosen, "YEAR_MONTH_FORMAT"))},
        "choices": [{"title": capfirst(date_format(chosen, "MONTH_DAY_FORMAT"))}],
    }


def _choice(day: date, form: str, link: str) -> dict[str, str]:
    return {"title": capfirst(date_format(day, form)), "link": link}


def _number(changelist: Any, name: str) -> int:
    text = changelist.params.get(name, "")
    return int(text) if str(text).isdecimal() else 0


def _years(changelist: Any) -> Iterator[int]:
    """From the first to the last row of the mode: two look-ups in an index, whatever the other filters."""
    name, rows = changelist.date_hierarchy, changelist.model._base_manager.order_by()
    chosen = changelist.params.get(ModeFilter.parameter_name)
    mode = next((spec.value() for spec in changelist.filter_specs if isinstance(spec, ModeFilter)), chosen)
    if mode and mode != ALL:
        rows = rows.filter(mode=mode)
    dated = rows.filter(**{f"{name}__isnull": False}).values(name)
    first, last = Subquery(dated.order_by(name)[:1]), Subquery(dated.order_by(f"-{name}")[:1])
    ends = rows.annotate(first=first, last=last).values_list("first", "last").first() or (None, None)
    if ends[0] and ends[1]:
        yield from range(timezone.localtime(ends[0]).year, timezone.localtime(ends[1]).year + 1)
