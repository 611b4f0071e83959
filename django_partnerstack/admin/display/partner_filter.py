"""Filters that stay small however many partners there are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from ...conf import conf
from ...models import Group, Partnership

#: How many partners are suggested, and how many may match a text.
SUGGESTED, MATCHING = 100, 200

#: Of how many rows the values are offered.
NEWEST = 1000

PARAMETER = "partner"


class PartnerFilter(admin.ListFilter):
    """
    A field for a partner key, or a part of a key, name or e-mail address; a subclass says which rows match.

    An exact key selects one partner. Any other text selects all partners that contain it.
    """

    title = _("partner")
    template = "admin/partnerstack/partner_filter.html"

    def __init__(self, request: HttpRequest, params: dict[str, Any], model: Any, model_admin: Any) -> None:
        super().__init__(request, params, model, model_admin)
        given = params.pop(PARAMETER, None)
        self.text = (given[-1] if isinstance(given, list) else given or "").strip()
        if self.text:
            self.used_parameters[PARAMETER] = self.text

    def expected_parameters(self) -> list[str | None]:
        return [PARAMETER]

    def has_output(self) -> bool:
        return True

    def choices(self, changelist: Any) -> Iterator[dict[str, Any]]:
        """One choice, for the template: the other parameters, the text and suggestions."""
        others = {name: values for name, values in changelist.filter_params.items() if name != PARAMETER}
        if changelist.query:
            others["q"] = [changelist.query]
        yield {
            "text": self.text,
            "hidden": [(name, value) for name, values in others.items() for value in _list(values)],
            "clear": changelist.get_query_string(remove=[PARAMETER]),
            "partners": Partnership.objects.filter(mode=conf.mode).order_by("-pk")[:SUGGESTED],
        }

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not self.text:
            return queryset
        found = list(_matching(self.text).values_list("key", "partner_key")[:MATCHING])
        # A partner that was never synced is known by the keys of its customers only.
        found = found or [(self.text, self.text)]
        return queryset.filter(self.condition([key for key, _ in found], [key for _, key in found if key]))

    def condition(self, keys: list[str], partner_keys: list[str]) -> Q:
        """The rows of the partners with these keys of PartnerStack and these partner keys."""
        raise NotImplementedError


def _list(values: Any) -> list[str]:
    return list(values) if isinstance(values, (list, tuple)) else [values]


def _matching(text: str) -> QuerySet[Partnership]:
    exact = Partnership.objects.filter(Q(partner_key=text) | Q(key=text)).order_by("pk")
    if exact.exists():
        return exact
    names = ("partner_key", "email", "first_name", "last_name")
    words = Q()
    for word in text.split():
        any_of = Q()
        for name in names:
            any_of |= Q(**{f"{name}__icontains": word})
        words &= any_of
    return Partnership.objects.filter(words).order_by("pk")


def by_partner(condition: Callable[[list[str], list[str]], Q]) -> type[PartnerFilter]:
    """The filter with this condition."""
    return type("PartnerFilter", (PartnerFilter,), {"condition": staticmethod(condition)})


#: For rows with the key of the partnership, for rows with the partner key, and for those with a customer.
BY_PARTNERSHIP = by_partner(lambda keys, partner_keys: Q(partnership_key__in=keys))
BY_PARTNER_KEY = by_partner(lambda keys, partner_keys: Q(partner_key__in=partner_keys))
BY_CUSTOMER = by_partner(lambda keys, partner_keys: Q(customer__partnership_key__in=keys))


class GroupFilter(admin.SimpleListFilter):
    """Offers the newest groups, and the one that is chosen."""

    title = _("group")
    parameter_name = "group_key"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        groups = Group.objects.filter(mode=conf.mode).order_by("-pk")[:SUGGESTED]
        found = {group.key: str(group) for group in groups}
        return with_chosen(found, request.GET.get(self.parameter_name, ""))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(group_key=self.value()) if self.value() else queryset


def by_value(name: str, *values: str) -> type[admin.SimpleListFilter]:
    """
    A filter by a column, which offers these values and the chosen one.

    Without values, it offers those of the newest rows, because a table may have millions of rows.
    """

    class ValueFilter(admin.SimpleListFilter):
        parameter_name = name

        def __init__(self, request: HttpRequest, params: Any, model: Any, model_admin: Any) -> None:
            self.title = model._meta.get_field(name).verbose_name
            super().__init__(request, params, model, model_admin)

        def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
            newest = model_admin.model._base_manager.order_by("-pk").values_list(name, flat=True)[:NEWEST]
            offered = values or sorted({value for value in newest if value})[:SUGGESTED]
            return with_chosen({value: value for value in offered}, request.GET.get(name, ""))

        def has_output(self) -> bool:
            return True

        def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
            return queryset.filter(**{name: self.value()}) if self.value() else queryset

    return ValueFilter


def with_chosen(choices: dict[str, str], chosen: str) -> list[tuple[str, str]]:
    """The choices and, if it is not one of them, what is chosen."""
    return list(({chosen: chosen} | choices if chosen else choices).items())
