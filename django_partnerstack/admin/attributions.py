from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..conf import conf
from ..insight import explain
from ..models import Attribution, Customer, Partnership
from .assigning import AssignableAdmin, assign_view, may_assign
from .columns import EMPTY, pretty
from .filters import ALL, ModeFilter, OrganicFilter
from .links import Link, admin_url, host_link
from .paginator import BoundedPaginator

CUSTOMER = Link(gettext_lazy("customer"), "customer_key", Customer, "customer_key", "email")
PARTNER = Link(gettext_lazy("partner"), "partner_key", Partnership, "partner_key", "partner_key")

#: How far back the numbers at the head of the list count.
DAYS = 30


@admin.register(Attribution)
class AttributionAdmin(AssignableAdmin):
    list_filter = (ModeFilter, OrganicFilter, "method")
    search_fields = ("customer_key", "partner_key", "click_id", "source_pk")
    search_help_text = gettext_lazy(
        "By customer key, partner key, click, or primary key of the site's object."
    )
    list_per_page = 100
    paginator = BoundedPaginator
    show_full_result_count = False

    def get_urls(self) -> list[URLPattern]:
        assign = path(
            "assign/",
            self.admin_site.admin_view(lambda request: assign_view(self, request)),
            name="partnerstack_attribution_assign",
        )
        return [assign, *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Attribution]:
        return super().get_queryset(request).annotate(**CUSTOMER.annotations(), **PARTNER.annotations())

    def get_list_display(self, request: HttpRequest) -> tuple[Any, ...]:
        mode = ("mode",) if request.GET.get(ModeFilter.parameter_name) == ALL else ()
        return ("customer_key", "who", PARTNER, "method", "clicked", "decided", *mode)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        click = ["click_id", "unread_key", "link_host", "clicked_at", "landing_path", "earlier", "told"]
        return [
            (
                None,
                {
                    "fields": [
                        "customer_key",
                        CUSTOMER,
                        PARTNER,
                        "method",
                        "reason",
                        "bound_at",
                        "mode",
                        "source_object",
                    ]
                },
            ),
            (_("Why"), {"fields": [explained]}),
            (_("Click"), {"fields": click}),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        context = {**recent(conf.mode), "days": DAYS, "may_assign": may_assign(request)}
        return super().changelist_view(request, {**context, **(extra_context or {})})

    @admin.display(description=gettext_lazy("customer"))
    def who(self, attribution: Attribution) -> SafeString:
        """The ways to the mirror's row and to the site's own object."""
        return below(CUSTOMER(attribution), self.source_object(attribution))

    @admin.display(description=gettext_lazy("clicked"), ordering="clicked_at")
    def clicked(self, attribution: Attribution) -> SafeString:
        """With the landing page."""
        when = day(attribution.clicked_at) if attribution.clicked_at else EMPTY
        return below(when, Truncator(attribution.landing_path).chars(40) or EMPTY)

    @admin.display(description=gettext_lazy("decided"), ordering="bound_at")
    def decided(self, attribution: Attribution) -> str:
        return day(attribution.bound_at)

    @admin.display(description=gettext_lazy("source"))
    def source_object(self, attribution: Attribution) -> str:
        return host_link(attribution.source, attribution.source_pk, self.admin_site)

    @admin.display(description=gettext_lazy("earlier clicks"))
    def earlier(self, attribution: Attribution) -> str:
        return pretty(attribution.earlier_clicks) if attribution.earlier_clicks else EMPTY

    @admin.display(description=gettext_lazy("visit"))
    def told(self, attribution: Attribution) -> str:
        return pretty(attribution.visit) if attribution.visit else EMPTY


def below(*lines: str) -> SafeString:
    """Lines of one cell, without those that hold nothing."""
    return format_html_join("", "<div>{}</div>", ((line,) for line in lines if line != EMPTY))


def day(when: datetime) -> str:
    """The day alone, for lists."""
    return date_format(localtime(when), "SHORT_DATE_FORMAT")


def recent(mode: str) -> dict[str, int]:
    """How many sign-ups of the last days had a partner or a click, and how many had none. One query."""
    organic = Q(click_id="", partner_key="")
    since = timezone.now() - timedelta(days=DAYS)
    rows = Attribution.objects.filter(mode=mode, bound_at__gte=since).order_by()
    return rows.aggregate(attributed=Count("pk", filter=~organic), organic=Count("pk", filter=organic))


@admin.display(description=gettext_lazy("explained"))
def explained(row: Attribution | Customer) -> str:
    """Why its sign-up is attributed, or not."""
    if not row.customer_key:
        return EMPTY
    sentences = ((sentence,) for sentence in explain(row.customer_key, mode=row.mode))
    return format_html('<ol class="partnerstack-why">{}</ol>', format_html_join("", "<li>{}</li>", sentences))


@admin.display(description=gettext_lazy("attribution"))
def attribution_link(customer: Customer) -> str:
    """The way from a customer to its attribution."""
    found = Attribution.objects.filter(mode=customer.mode, customer_key=customer.customer_key).first()
    if found is None:
        return EMPTY
    who = found.partner_key or found.click_id or _("no click known")
    return format_html('<a href="{}">{}</a>', admin_url(Attribution, "change", found.pk), who)
