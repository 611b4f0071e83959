from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db import transaction
from django.db.models import Case, CharField, F, QuerySet, Value, When
from django.db.models.functions import Substr
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.timesince import timesince
from django.utils.translation import gettext_lazy as _

from ..conf import conf
from ..models import Customer, OutboxMessage, State, Transaction
from .columns import pretty
from .delivered import mark_delivered
from .filters import ALL, ModeFilter, OperationFilter, PersonFilter
from .links import Link, host_link
from .operators import cancel, hold, release, retry
from .outbox_table import badge, lane_link, message_table, timeline
from .paginator import BoundedPaginator
from .permissions import may
from .readonly import ReadOnlyAdmin

CUSTOMER = Link(_("customer"), "customer_key", Customer, "customer_key", "customer_key")
TRANSACTION = Link(_("transaction"), "transaction_key", Transaction, "key", "key")

#: The messages of a lane that the page of one shows before and after it.
AROUND = 5

#: Where there is nothing left to do with a message.
OVER = frozenset({State.DELIVERED, State.CANCELLED, State.SKIPPED})


@admin.register(OutboxMessage)
class OutboxMessageAdmin(ReadOnlyAdmin):
    list_filter = (ModeFilter, PersonFilter, "state", OperationFilter)
    search_fields = ("lane", "subject", "source_pk")
    search_help_text = _("By lane, by what it is about, or by the primary key of its source.")
    sortable_by = ("attempts", "next_try_at", "age")
    list_per_page = 100
    paginator = BoundedPaginator
    show_full_result_count = False
    actions = (retry, hold, release, cancel, mark_delivered)

    has_retry_permission = may("retry")
    has_hold_permission = may("hold")
    has_release_permission = may("release")
    has_cancel_permission = may("cancel")
    has_mark_delivered_permission = may("mark_delivered")

    # Actions lock the line in a transaction of their own, and one asks PartnerStack.
    @transaction.non_atomic_requests
    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return super().changelist_view(request, extra_context)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: Any = None,
    ) -> Any:
        choices = self.get_action_choices(request, default_choices=[])
        return super().changeform_view(
            request, object_id, form_url, {"action_choices": choices, "over": OVER, **(extra_context or {})}
        )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request).annotate(**keys())
        return rows.annotate(**CUSTOMER.annotations(), **TRANSACTION.annotations())

    def get_list_display(self, request: HttpRequest) -> tuple[Any, ...]:
        mode = ("mode",) if request.GET.get(ModeFilter.parameter_name) == ALL else ()
        columns = ("operation", "about", badge, "why", "attempts", "next_try_at", "age")
        return (*columns, lane_link, "source_object", *mode)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return [
            (None, {"fields": ["operation", "about", badge, "full_reason", "attempts", "mode"]}),
            (_("Timeline"), {"fields": [timeline]}),
            (_("Lane"), {"fields": [lane_link, "lane_around"]}),
            (_("Objects"), {"fields": ["source_object", CUSTOMER, TRANSACTION]}),
            (_("Content"), {"fields": ["content"]}),
            (_("Answer"), {"fields": ["answer"]}),
        ]

    @admin.display(description=_("about"))
    def about(self, message: Any) -> str | None:
        """What it is about, with the way to the mirror's row where there is one."""
        if message.transaction_key:
            return TRANSACTION(message)
        return CUSTOMER(message) if message.operation.startswith("customers.") else message.subject or None

    @admin.display(description=_("reason"))
    def why(self, message: OutboxMessage) -> str:
        """The first words, for the list."""
        return Truncator(conf.without_keys(message.reason)).chars(90)

    @admin.display(description=_("reason"))
    def full_reason(self, message: OutboxMessage) -> SafeString | str:
        return conf.without_keys(message.reason)

    @admin.display(description=_("age"), ordering="-queued_at")
    def age(self, message: OutboxMessage) -> str:
        return timesince(message.queued_at, depth=1)

    @admin.display(description=_("source"))
    def source_object(self, message: OutboxMessage) -> str | None:
        return host_link(message.source, message.source_pk, self.admin_site)

    @admin.display(description=_("messages around it"))
    def lane_around(self, message: OutboxMessage) -> SafeString | None:
        if not message.lane:
            return None
        lane = OutboxMessage.objects.filter(mode=message.mode, lane=message.lane)
        before = lane.filter(pk__lte=message.pk).order_by("-pk")[: AROUND + 1]
        after = lane.filter(pk__gt=message.pk).order_by("pk")[:AROUND]
        return message_table([*reversed(before), *after], current=message)

    @admin.display(description="JSON")
    def content(self, message: OutboxMessage) -> SafeString:
        return pretty(message.payload)

    @admin.display(description="JSON")
    def answer(self, message: OutboxMessage) -> SafeString | None:
        return pretty(message.response) if message.response is not None else None


def keys() -> dict[str, Case]:
    """The keys of the customer whose lane a message is in, and of the transaction that it is about."""
    prefix = "customer:"
    customer = When(lane__startswith=prefix, then=Substr("lane", len(prefix) + 1))
    transaction = When(operation__startswith="transactions.", then=F("subject"))
    nothing, kind = Value(""), CharField()
    return {
        "customer_key": Case(customer, default=nothing, output_field=kind),
        "transaction_key": Case(transaction, default=nothing, output_field=kind),
    }
