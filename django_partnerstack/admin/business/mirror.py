"""
The pages of mirrors.

Reported mirrors have theirs in ``reported``; a mirror without an admin class gets a generic page.
"""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import URLPattern, path
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from ...models import Action, Customer, Deal, Group, Lead, Mirror, Partnership, Reward, Transaction
from ...models.fields import KeyField
from ...resources import RESOURCES
from ..actions.export import ExportAction
from ..actions.refresh import RefreshAction
from ..display.columns import created, json_column, money, stacked, state
from ..display.filters import ModeFilter, StateFilter, mode_column
from ..display.links import Link, Related
from ..display.partner_filter import BY_PARTNER_KEY, BY_PARTNERSHIP, GroupFilter, by_value
from ..display.read_only import LongListAdmin, permission_to
from ..display.search import CustomerSearch
from .report import own_figures, report_view


def declared_mirrors() -> dict[type[Mirror], bool]:
    """The mirror model of each declared resource, and whether the resource is readable by key."""
    return {resource.model: resource.readable for resource in RESOURCES.values()}


class MirrorAdmin(ExportAction, RefreshAction, LongListAdmin):
    """
    The pages of a mirror. A subclass selects the columns.

    Without a subclass, they show the key and all of the model's own columns, and search its key columns.
    """

    #: The model's own columns, for the list and for the page of an object.
    columns: tuple[Any, ...] = ()
    #: The model's own columns that only the page of an object shows.
    details: ClassVar[tuple[Any, ...]] = ()
    #: Objects that refer to this object by key.
    related: ClassVar[tuple[Related, ...]] = ()
    #: The model's own filters.
    filters: ClassVar[tuple[Any, ...]] = ()

    actions: tuple[str, ...] = ("refresh_from_partnerstack",)
    date_hierarchy = "remote_created_at"

    def __init__(self, model: type[Mirror], admin_site: admin.AdminSite) -> None:
        super().__init__(model, admin_site)
        self.columns = self.columns or ("key", *own_columns(model))

    may_refresh = permission_to("refresh")

    def has_refresh_permission(self, request: HttpRequest) -> bool:
        return declared_mirrors().get(self.model, False) and self.may_refresh(request)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        links = (column for column in (*self.columns, *self.details) if isinstance(column, Link))
        annotations = {name: found for link in links for name, found in link.annotations().items()}
        return super().get_queryset(request).annotate(**annotations)

    def get_search_fields(self, request: HttpRequest) -> list[str] | tuple[str, ...]:
        return self.search_fields or [f.name for f in self.model._meta.fields if isinstance(f, KeyField)]

    def get_list_display(self, request: HttpRequest) -> tuple[Any, ...]:
        return (*self.columns, created, state, *mode_column(request))

    def get_list_filter(self, request: HttpRequest) -> tuple[Any, ...]:
        return (ModeFilter, *self.filters, StateFilter)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        at_partnerstack = ("key", "mode", "remote_created_at", "remote_updated_at", state)
        here = ("missing_since", "synced_at")
        related = ["related_objects"] if self.related else []
        return [
            (None, {"fields": [*self.columns, *self.details, *related]}),
            (_("At PartnerStack"), {"fields": [*at_partnerstack, *here]}),
            (_("As received"), {"fields": [json_column("raw")]}),
        ]

    @admin.display(description=_("related"))
    def related_objects(self, row: Any) -> SafeString:
        return stacked(*(related.link(row) for related in self.related))


def own_columns(model: type[Mirror]) -> list[Any]:
    """The columns that not every mirror has."""
    common = {field.name for field in Mirror._meta.get_fields()} | {"id", "currency"}
    own = [field.name for field in model._meta.fields if field.name not in common]
    return [money if name == "amount" else name for name in own]


#: As PartnerStack's API names them (docs.partnerstack.com/reference/get_v2-rewards-2).
REWARD_STATUSES = ("hold", "pending", "approved", "scheduled", "paid", "declined")

PARTNER = Link(_("partnership"), "partner_key", Partnership, "partner_key", "partner_key")
PARTNERSHIP = Link(_("partnership"), "partnership_key", Partnership, "key", "partner_key")
CUSTOMER = Link(_("customer"), "customer_key", Customer, "key", "customer_key")
GROUP = Link(_("group"), "group_key", Group, "key", "name")
TRANSACTION = Link(_("transaction"), "transaction_key", Transaction, "key", "key")


@admin.register(Group)
class GroupAdmin(MirrorAdmin):
    columns = ("name", "slug", "default")
    related = (Related(Partnership, "group_key"),)
    filters = ("default",)
    search_fields = ("key", "name", "slug")


@admin.register(Partnership)
class PartnershipAdmin(MirrorAdmin):
    columns = ("partner_key", "email", GROUP, "approved_status")
    details = ("first_name", "last_name")
    related = (
        Related(Customer, "partnership_key"),
        Related(Reward, "partnership_key"),
        Related(Action, "partnership_key"),
        Related(Deal, "partner_key", "partner_key"),
        Related(Lead, "partner_key", "partner_key"),
    )
    filters = (GroupFilter, by_value("approved_status"))
    search_fields = ("key", "partner_key", "email", "first_name", "last_name")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(partial(report_view, self))
        return [path("report/", view, name="partnerstack_partnership_report"), *super().get_urls()]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        own, *others = super().get_fieldsets(request, obj)
        return [own, (_("Figures"), {"fields": [own_figures(request)]}), *others]


@admin.register(Deal)
class DealAdmin(MirrorAdmin):
    columns = ("external_key", "account_name", money, "stage", PARTNER)
    details = ("customer_key",)
    filters = (BY_PARTNER_KEY, by_value("stage"))
    search_fields = ("key", "external_key", "account_name", "customer_key", "partner_key")


@admin.register(Lead)
class LeadAdmin(MirrorAdmin):
    columns = ("external_key", money, "status", PARTNER)
    filters = (BY_PARTNER_KEY, by_value("status"))
    search_fields = ("key", "external_key", "partner_key")


@admin.register(Reward)
class RewardAdmin(CustomerSearch, MirrorAdmin):
    has_totals = True
    columns = ("key", money, "reward_status", PARTNERSHIP, CUSTOMER)
    details = (TRANSACTION,)
    filters = (BY_PARTNERSHIP, by_value("reward_status", *REWARD_STATUSES))
    search_fields = ("key", "partnership_key", "customer_key", "transaction_key")


@admin.register(Action)
class ActionAdmin(CustomerSearch, MirrorAdmin):
    columns = ("key", "type", "value", CUSTOMER, PARTNERSHIP)
    details = ("external_key",)
    filters = (BY_PARTNERSHIP, by_value("type"))
    search_fields = ("key", "external_key", "type", "customer_key", "partnership_key")


def register_mirrors(site: admin.AdminSite = admin.site) -> None:
    """Register a generic page for each declared mirror that has no admin class of its own."""
    for model in declared_mirrors():
        if not site.is_registered(model):
            site.register(model, MirrorAdmin)
