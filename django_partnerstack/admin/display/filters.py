from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from ...conf import conf
from ...models import State
from ...models.mirror import Mode
from ...outbox.operations import OPERATIONS, SAVE_CUSTOMER

ALL = "all"


class ModeFilter(admin.SimpleListFilter):
    """By default, the rows of the mode that the site runs in."""

    title = _("mode")
    parameter_name = "mode"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [*Mode.choices, (ALL, _("both"))]

    def value(self) -> str:
        return super().value() or conf.mode

    def choices(self, changelist: Any) -> Iterator[Any]:
        """Without Django's first choice, "All", which would select the site's mode again."""
        return islice(super().choices(changelist), 1, None)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset if self.value() == ALL else queryset.filter(mode=self.value())


def mode_column(request: HttpRequest) -> tuple[str, ...]:
    """The column of a list that shows both modes."""
    return ("mode",) if request.GET.get(ModeFilter.parameter_name) == ALL else ()


class ConditionFilter(admin.SimpleListFilter):
    """A filter whose choices are conditions."""

    #: value: its label and condition.
    CHOICES: dict[str, tuple[Any, Q]]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(value, label) for value, (label, _condition) in self.CHOICES.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.CHOICES.get(self.value() or "")
        return queryset.filter(chosen[1]) if chosen else queryset


class StateFilter(ConditionFilter):
    title = _("state")
    parameter_name = "state"
    CHOICES = {
        "present": (_("present"), Q(archived=False, missing_since=None)),
        "archived": (_("archived"), Q(archived=True)),
        "missing": (_("missing"), Q(missing_since__isnull=False)),
    }


#: Attributions with neither a click nor a partner.
ORGANIC = Q(click_id="", partner_key="")


class OrganicFilter(ConditionFilter):
    title = _("sign-up")
    parameter_name = "organic"
    CHOICES = {"no": (_("attributed"), ~ORGANIC), "yes": (_("organic"), ORGANIC)}


class AttentionFilter(ConditionFilter):
    """Messages that need attention."""

    title = _("attention")
    parameter_name = "attention"
    CHOICES = {"yes": (_("needs attention"), Q(state__in=(State.FAILED, State.ON_HOLD)))}


class OperationFilter(admin.SimpleListFilter):
    """Offers all operations, without a query for those that are in use."""

    title = _("operation")
    parameter_name = "operation"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, name) for name in (SAVE_CUSTOMER, *OPERATIONS)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(operation=self.value()) if self.value() else queryset
