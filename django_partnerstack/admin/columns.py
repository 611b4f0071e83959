"""How columns are shown, in lists and on the page of one object."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.utils.formats import date_format, number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _

from ..client.money import exponent
from ..conf import conf

#: Shown for nothing, on pages as in lists.
EMPTY = "-"


def in_major_units(amount: int, currency: str) -> str:
    """``4900, "USD"`` as ``49.00 USD``. Deals and leads have no currency and are in cents."""
    decimals = exponent(currency)
    number = number_format(Decimal(amount).scaleb(-decimals), decimals, force_grouping=True)
    return f"{number} {currency}".rstrip()


def pretty(value: Any) -> SafeString:
    text = conf.without_keys(json.dumps(value, indent=2, ensure_ascii=False))
    return format_html('<pre class="partnerstack-raw">{}</pre>', text)


@admin.display(description=_("amount"), ordering="amount")
def amount(row: Any) -> str:
    return EMPTY if row.amount is None else in_major_units(row.amount, getattr(row, "currency", ""))


@admin.display(description=_("created"), ordering="remote_created_at")
def created(row: Any) -> str | None:
    """The day alone, for lists."""
    when = row.remote_created_at
    return date_format(localtime(when), "SHORT_DATE_FORMAT") if when else None


@admin.display(description="JSON")
def as_received(row: Any) -> SafeString:
    return pretty(row.raw)


@admin.display(description=_("state"))
def state(row: Any) -> Any:
    if row.missing_since:
        return _("missing")
    return _("archived") if row.archived else _("present")
