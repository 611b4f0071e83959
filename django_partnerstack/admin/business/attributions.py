from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ...conf import conf
from ...insight import explain
from ...models import Attribution, Customer, Partnership
from ..actions.assign import assign_url, assign_view, may_assign
from ..actions.export import ExportAction
from ..actions.forget import ForgetAction
from ..display.columns import EMPTY, day, json_column, stacked
from ..display.filters import ORGANIC, ModeFilter, OrganicFilter, mode_column
from ..display.links import Link, admin_url, host_link
from ..display.partner_filter import BY_PARTNER_KEY
from ..display.read_only import LongListAdmin
from ..display.search import CustomerSearch

CUSTOMER = Link(gettext_lazy("customer"), "customer_key", Customer, "customer_key", "email")
PARTNER = Link(gettext_lazy("partner"), "partner_key", Partnership, "partner_key", "partner_key")

#: The period of the totals above the list.
DAYS = 30


@admin.register(Attribution)
class AttributionAdmin(ForgetAction, CustomerSearch, ExportAction, LongListAdmin):
    date_hierarchy = "bound_at"
    # An organic customer has no other page.
    actions = ("forget",)
    list_filter = (ModeFilter, BY_PARTNER_KEY, OrganicFilter, "method")
    search_fields = ("customer_key", "partner_key", "click_id", "source_pk")
    unindexed = ("click_id", "source_pk")
    search_help_text = gettext_lazy(
        "By customer key, partner key, click, primary key of the site's object, or a part of the customer's "
        "e-mail address or name."
    )

    def get_urls(self) -> list[URLPattern]:
        assign = path(
            "assign/",
            self.admin_site.admin_view(lambda request: assign_view(self, request)),
            name="partnerstack_attribution_assign",
        )
        return [assign, *super().get_urls()]

    def of_customers(self, customers: list[Customer], text: str, shown: list[str]) -> Q:
        return Q(customer_key__in=[customer.customer_key for customer in customers])

    def get_queryset(self, request: HttpRequest) -> QuerySet[Attribution]:
        return super().get_queryset(request).annotate(**CUSTOMER.annotations(), **PARTNER.annotations())

    def get_list_display(self, request: HttpRequest) -> tuple[Any, ...]:
        return ("customer_key", "who", PARTNER, "method", "clicked", "decided", *mode_column(request))

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        decision = [
            "customer_key",
            CUSTOMER,
            PARTNER,
            "method",
            "reason",
            "bound_at",
            "mode",
            "source_object",
        ]
        click = ["click_id", "unread_key", "link_host", "clicked_at", "landing_path"]
        visit = [json_column("earlier_clicks", _("earlier clicks")), json_column("visit", _("visit"))]
        return [
            (None, {"fields": decision}),
            (_("Why"), {"fields": [explanation(request)]}),
            (_("Click"), {"fields": [*click, *visit]}),
        ]

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        context["assign_url"] = assign_url(kwargs["obj"], request)
        return super().render_change_form(request, context, *args, **kwargs)

    @transaction.non_atomic_requests
    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        context = {**recent_sign_ups(conf.mode), "days": DAYS, "may_assign": may_assign(request)}
        return super().changelist_view(request, {**context, **(extra_context or {})})

    @admin.display(description=gettext_lazy("customer"))
    def who(self, attribution: Attribution) -> SafeString:
        """Links to the mirrored customer and to the site's own object."""
        return stacked(CUSTOMER(attribution), self.source_object(attribution))

    @admin.display(description=gettext_lazy("clicked"), ordering="clicked_at")
    def clicked(self, attribution: Attribution) -> SafeString:
        """When the click happened, and its landing page."""
        when = day(attribution.clicked_at) if attribution.clicked_at else EMPTY
        return stacked(when, Truncator(attribution.landing_path).chars(40) or EMPTY)

    @admin.display(description=gettext_lazy("decided"), ordering="bound_at")
    def decided(self, attribution: Attribution) -> str:
        return day(attribution.bound_at)

    @admin.display(description=gettext_lazy("source"))
    def source_object(self, attribution: Attribution) -> str:
        return host_link(attribution.source, attribution.source_pk, self.admin_site)


def recent_sign_ups(mode: str) -> dict[str, int]:
    """The numbers of attributed and organic sign-ups of the last days. Takes one query."""
    since = timezone.now() - timedelta(days=DAYS)
    rows = Attribution.objects.filter(mode=mode, bound_at__gte=since).order_by()
    return rows.aggregate(attributed=Count("pk", filter=~ORGANIC), organic=Count("pk", filter=ORGANIC))


def explanation(request: HttpRequest) -> Callable[[Attribution | Customer], str]:
    """The field that says why a sign-up is attributed or not, for what the user may see."""
    with_messages = request.user.has_perm("partnerstack.view_outboxmessage")
    return explained if with_messages else explained_without_messages


@admin.display(description=gettext_lazy("explained"))
def explained(row: Attribution | Customer) -> str:
    return _list_of_sentences(row, with_messages=True)


@admin.display(description=gettext_lazy("explained"))
def explained_without_messages(row: Attribution | Customer) -> str:
    return _list_of_sentences(row, with_messages=False)


def _list_of_sentences(row: Attribution | Customer, *, with_messages: bool) -> str:
    if not row.customer_key:
        return EMPTY
    explained = explain(row.customer_key, mode=row.mode, with_messages=with_messages)
    sentences = ((sentence,) for sentence in explained)
    return format_html('<ol class="partnerstack-why">{}</ol>', format_html_join("", "<li>{}</li>", sentences))


@admin.display(description=gettext_lazy("attribution"))
def attribution_link(customer: Customer) -> str:
    found = Attribution.objects.filter(mode=customer.mode, customer_key=customer.customer_key).first()
    if found is None:
        return EMPTY
    text = found.partner_key or found.click_id or _("no click")
    return format_html('<a href="{}">{}</a>', admin_url(Attribution, "change", found.pk), text)
