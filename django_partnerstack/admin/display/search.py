"""
Search with a bounded cost: by whole keys, and by a part of the e-mail address or name of customers.

A search for a part reads all customers, but no other table. What it finds selects rows by an index.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ...conf import conf
from ...models import Customer
from ...models.mirror import Mode
from .filters import ALL, ModeFilter

if TYPE_CHECKING:
    Base = admin.ModelAdmin
else:
    Base = object

#: How many customers, and how many rows by a column without an index, may match. The newest are taken.
MATCHES = 200
#: How many of the newest rows are searched by a column without an index.
RECENT = 200_000


class CustomerSearch(Base):
    """Finds rows by a whole key, in ``search_fields``, and by their customers."""

    search_help_text = gettext_lazy("By a whole key, or a part of the customer's e-mail address or name.")
    #: Of ``search_fields``, those without an index.
    unindexed: ClassVar[tuple[str, ...]] = ()

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        text, shown = search_term.strip(), modes(request)
        if not text:
            return queryset, False
        customers = named_customers(text, shown)
        if len(customers) == MATCHES:
            note = _(
                "Many customers match. The list shows those of the newest {number}; search for more letters."
            )
            self.message_user(request, note.format(number=MATCHES), messages.WARNING)
        any_of = self.of_customers(customers, text, shown) | self._without_index(text, shown)
        for name in self.get_search_fields(request):
            if name not in self.unindexed:
                any_of |= Q(**{name: text})
        return queryset.filter(any_of), False

    def of_customers(self, customers: list[Customer], text: str, shown: list[str]) -> Q:
        """The rows of these customers, which match the text in the modes that are shown."""
        return Q(customer_key__in=[customer.key for customer in customers])

    def _without_index(self, text: str, shown: list[str]) -> Q:
        rows = self.model._base_manager.order_by("-pk")
        newest = rows.values_list("pk", flat=True).first() if self.unindexed else None
        if newest is None:
            return Q(pk__in=[])
        any_of = Q()
        for name in self.unindexed:
            any_of |= Q(**{name: text})
        found = rows.filter(any_of, mode__in=shown, pk__gt=newest - RECENT)
        return Q(pk__in=list(found.values_list("pk", flat=True)[:MATCHES]))


def named_customers(text: str, modes: list[str]) -> list[Customer]:
    """
    The customers with this key or e-mail address; otherwise those with this text in their address or name.

    The newest first, and ``MATCHES`` at most.
    """
    customers = Customer.objects.filter(mode__in=modes).only("key", "customer_key").order_by("-pk")
    exact = Q(key=text) | Q(customer_key=text) | Q(email__in={text, text.lower()})
    part = Q(email__icontains=text) | Q(name__icontains=text) | Q(provider_key=text) | Q(partner_key=text)
    return list(customers.filter(exact)[:MATCHES]) or list(customers.filter(part)[:MATCHES])


def modes(request: HttpRequest) -> list[str]:
    """The modes that the list shows."""
    chosen = request.GET.get(ModeFilter.parameter_name) or conf.mode
    return list(Mode.values) if chosen == ALL else [chosen]
