from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.db import transaction
from django.db.models import Case, CharField, F, QuerySet, Value, When
from django.db.models.functions import Substr
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.timesince import timesince, timeuntil
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from ..conf import conf
from ..models import Customer, OutboxMessage, State, Transaction
from ..outbox.control.actions import ALLOWED_STATES
from ..outbox.operations import mirrored_in
from .columns import EMPTY, pretty
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


@admin.register(OutboxMessage)
class OutboxMessageAdmin(ReadOnlyAdmin):
    list_filter = (ModeFilter, PersonFilter, "state", OperationFilter)
    search_fields = ("lane", "subject", "source_pk")
    search_help_text = _("By lane, by what it is about, or by the primary key of its source.")
    sortable_by = ("status", "age")
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
        message = self.get_object(request, unquote(object_id)) if object_id else None
        buttons = self.buttons(request, message) if message is not None else []
        context = {"buttons": buttons, **(extra_context or {})}
        return super().changeform_view(request, object_id, form_url, context)

    def buttons(self, request: HttpRequest, message: OutboxMessage) -> list[tuple[str, str]]:
        """The actions that the user may take and that change something now, by name and label."""
        state = State.SCHEDULED if message.state == State.QUEUED else message.state
        choices = self.get_action_choices(request, default_choices=[])
        return [(name, label) for name, label in choices if state in ALLOWED_STATES[name]]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request).annotate(**keys())
        return rows.annotate(**CUSTOMER.annotations(), **TRANSACTION.annotations())

    def get_list_display(self, request: HttpRequest) -> tuple[Any, ...]:
        mode = ("mode",) if request.GET.get(ModeFilter.parameter_name) == ALL else ()
        return ("operation", "about", "status", "age", "why", *mode)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return [
            (None, {"fields": ["operation", "subject_link", badge, "full_reason", "attempts", "mode"]}),
            (_("Timeline"), {"fields": [timeline]}),
            (_("Lane"), {"fields": [lane_link, "lane_around"]}),
            (_("Objects"), {"fields": ["source_object", CUSTOMER, TRANSACTION]}),
            (_("Content"), {"fields": ["content"]}),
            (_("Answer"), {"fields": ["answer"]}),
        ]

    @admin.display(description=_("about"))
    def about(self, message: Any) -> SafeString:
        """What it is about, its lane and its source: three ways on."""
        lines = (self.subject_link(message), lane_link(message), self.source_object(message))
        return format_html_join("", "<div>{}</div>", ((line,) for line in lines if line != EMPTY))

    @admin.display(description=_("about"))
    def subject_link(self, message: Any) -> str:
        """What it is about, with the way to the mirror's row where there is one."""
        if message.transaction_key:
            return TRANSACTION(message)
        return CUSTOMER(message) if message.operation in mirrored_in(Customer) else message.subject or EMPTY

    @admin.display(description=_("reason"))
    def why(self, message: OutboxMessage) -> str:
        """The first words, for the list."""
        return Truncator(conf.without_keys(message.reason)).chars(90)

    @admin.display(description=_("reason"))
    def full_reason(self, message: OutboxMessage) -> str:
        return conf.without_keys(message.reason) or EMPTY

    @admin.display(description=_("state"), ordering="next_attempt_at")
    def status(self, message: OutboxMessage) -> SafeString:
        """Where it stands, how often it was tried, and when it will be; ordered by that."""
        lines: list[str] = [badge(message)]
        if message.attempts:
            text = ngettext("{number} attempt", "{number} attempts", message.attempts)
            lines.append(text.format(number=message.attempts))
        if message.next_attempt_at:
            lines.append(_("next in {time}").format(time=timeuntil(message.next_attempt_at, depth=1)))
        return format_html_join("", "<div>{}</div>", ((line,) for line in lines))

    @admin.display(description=_("age"), ordering="-queued_at")
    def age(self, message: OutboxMessage) -> str:
        return timesince(message.queued_at, depth=1)

    @admin.display(description=_("source"))
    def source_object(self, message: OutboxMessage) -> str:
        return host_link(message.source, message.source_pk, self.admin_site)

    @admin.display(description=_("messages around it"))
    def lane_around(self, message: OutboxMessage) -> str:
        if not message.lane:
            return EMPTY
        lane = OutboxMessage.objects.filter(mode=message.mode, lane=message.lane)
        before = lane.filter(pk__lte=message.pk).order_by("-pk")[: AROUND + 1]
        after = lane.filter(pk__gt=message.pk).order_by("pk")[:AROUND]
        return message_table([*reversed(before), *after], current=message)

    @admin.display(description="JSON")
    def content(self, message: OutboxMessage) -> SafeString:
        return pretty(message.content)

    @admin.display(description="JSON")
    def answer(self, message: OutboxMessage) -> str:
        return pretty(message.response) if message.response is not None else EMPTY


def keys() -> dict[str, Case]:
    """The keys of the customer whose lane a message is in, and of the transaction that it is about."""
    prefix = "customer:"
    customer = When(lane__startswith=prefix, then=Substr("lane", len(prefix) + 1))
    transaction = When(operation__in=mirrored_in(Transaction), then=F("subject"))
    nothing, kind = Value(""), CharField()
    return {
        "customer_key": Case(customer, default=nothing, output_field=kind),
        "transaction_key": Case(transaction, default=nothing, output_field=kind),
    }
