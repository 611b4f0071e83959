"""Shared by the actions: they run without a transaction, and warn about rows that they skip."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from ...conf import conf

if TYPE_CHECKING:
    Base = admin.ModelAdmin
else:
    Base = object

#: The most rows that a text names.
NAMED = 3

#: A level of ``django.contrib.messages``, and the text.
Message = tuple[int, str]


class NonAtomicActions(Base):
    """For actions that send requests or lock rows: no transaction is open, even with ATOMIC_REQUESTS."""

    @transaction.non_atomic_requests
    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return super().changelist_view(request, extra_context)


def limited(queryset: QuerySet[Any], limit: int) -> tuple[list[Any], int]:
    """The first ``limit`` rows, and the number of the others."""
    return list(queryset[:limit]), max(queryset.count() - limit, 0)


def names(rows: Sequence[Any]) -> str:
    """The first rows by name, with their primary keys if their names are the same."""
    shown = [str(row) for row in rows[:NAMED]]
    if len(set(shown)) < len(shown):
        shown = [f"{row} (#{row.pk})" if hasattr(row, "pk") else str(row) for row in rows[:NAMED]]
    text, more = ", ".join(shown), len(rows) - NAMED
    return _("{rows} and {more} more").format(rows=text, more=more) if more > 0 else text


def left_out(*, over: int = 0, limit: int = 0, other_mode: int = 0) -> Iterator[Message]:
    """Warnings about the numbers of selected rows ``over`` the limit and of the other mode."""
    if over:
        text = _("{over} not tried: at most {limit} rows at once.")
        yield messages.WARNING, text.format(over=over, limit=limit)
    if other_mode:
        text = _("{number} not tried: the site runs in {mode} mode, and these rows are of the other mode.")
        yield messages.WARNING, text.format(number=other_mode, mode=conf.mode)
