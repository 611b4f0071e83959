"""Search with a bounded cost: by whole keys, and by the names of a limited number of customers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from ...conf import conf
from ...models import Customer
from ...models.mirror import Mode
from .filters import ALL, ModeFilter

if TYPE_CHECKING:
    Base = admin.ModelAdmin
else:
    Base = object

#: How many customers may match a part of a name or of an e-mail address.
CUSTOMERS = 200


class CustomerSearch(Base):
    """
    Finds rows by a whole key, in ``search_fields``, and by the e-mail address or name of their customers.

    The ``customer_key`` of a row equals the ``searched_key`` of a ``Customer``.
    """

    search_help_text = _("By a whole key, or a part of the customer's e-mail address or name.")
    searched_key = "key"

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        text = search_term.strip()
        if not text:
            return queryset, False
        customers = named_customers(text, modes(request)).values_list(self.searched_key, flat=True)
        any_of = Q(customer_key__in=[key for key in customers if key])
        for name in self.get_search_fields(request):
            any_of |= Q(**{name: text})
        return queryset.filter(any_of), False


def named_customers(text: str, modes: list[str]) -> QuerySet[Customer]:
    """The customers with this text in the name or e-mail address, or with this key; the first of them."""
    either = Q(name__icontains=text) | Q(email__icontains=text) | Q(customer_key=text)
    return Customer.objects.filter(either, mode__in=modes).order_by("pk")[:CUSTOMERS]


def modes(request: HttpRequest) -> list[str]:
    """The modes that the list shows."""
    chosen = request.GET.get(ModeFilter.parameter_name) or conf.mode
    return list(Mode.values) if chosen == ALL else [chosen]
