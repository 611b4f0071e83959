"""How lists and pages show values."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.utils.formats import date_format, number_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timesince import timesince, timeuntil
from django.utils.timezone import localtime
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ...client.money import exponent
from ...conf import conf

#: Shown instead of an empty value.
EMPTY = "-"
#: A time as PartnerStack sends it, in JSON: from 2001 to 2286.
MILLISECONDS = re.compile(r'(?<=_at": )(\d{13})(?=[,\n])')
ANNOTATED = '{} <span class="partnerstack-when">{}</span>'


def time_since(at: datetime) -> str:
    """The time since then in one unit, as a word for what Django calls "0 minutes"."""
    return _at_least_a_minute(timesince(at, depth=1))


def time_until(at: datetime) -> str:
    return _at_least_a_minute(timeuntil(at, depth=1))


def _at_least_a_minute(span: str) -> str:
    return gettext("less than a minute") if span[:1] == "0" else span


def in_major_units(amount: int, currency: str) -> str:
    """``4900, "USD"`` as ``49.00 USD``. Deals and leads have no currency and are in cents."""
    decimals = exponent(currency)
    number = number_format(Decimal(amount).scaleb(-decimals), decimals, force_grouping=True)
    return f"{number} {currency}".rstrip()


def pretty(value: Any) -> SafeString:
    """Indented JSON without the site's keys. A time in milliseconds is followed by the time for people."""
    text = conf.without_keys(json.dumps(value, indent=2, ensure_ascii=False))
    parts = MILLISECONDS.split(text)
    # Every second part is a time.
    parts[1::2] = [format_html(ANNOTATED, time, _readable(time)) for time in parts[1::2]]
    joined = format_html_join("", "{}", ((part,) for part in parts))
    return format_html('<pre class="partnerstack-raw">{}</pre>', joined)


def _readable(milliseconds: str) -> str:
    return moment_with_zone(datetime.fromtimestamp(int(milliseconds) / 1000, timezone.utc))


def json_column(name: str, description: Any = "JSON") -> Callable[[Any], str]:
    @admin.display(description=description)
    def column(row: Any) -> str:
        value = getattr(row, name)
        return pretty(value) if value else EMPTY

    column.__name__ = name
    return column


def stacked(*lines: str) -> SafeString:
    """The lines of a cell, without empty lines."""
    return format_html_join("", "<div>{}</div>", ((line,) for line in lines if line != EMPTY))


def day(when: datetime) -> str:
    return date_format(localtime(when), "SHORT_DATE_FORMAT")


def moment(when: datetime) -> str:
    """To the second."""
    return f"{date_format(localtime(when))}, {localtime(when):%H:%M:%S}"


def moment_with_zone(when: datetime) -> str:
    return f"{moment(when)} {localtime(when):%Z}"


# Not named "amount": Django would show that field's help text, which is about minor units.
@admin.display(description=_("amount"), ordering="amount")
def money(row: Any) -> str:
    return EMPTY if row.amount is None else in_major_units(row.amount, getattr(row, "currency", ""))


@admin.display(description=_("created"), ordering="remote_created_at")
def created(row: Any) -> str | None:
    """The day, for lists."""
    return day(row.remote_created_at) if row.remote_created_at else None


@admin.display(description=_("state"))
def state(row: Any) -> Any:
    if row.missing_since:
        return _("missing")
    return _("archived") if row.archived else _("present")
