from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db import transaction
from django.db.models import Case, CharField, F, Q, QuerySet, Value, When
from django.db.models.functions import Substr
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from ...conf import conf
from ...insight import find
from ...models import Customer, OutboxMessage, State, Transaction
from ...outbox.control.actions import ALLOWED_STATES
from ...outbox.operations import mirrored_in
from ...outbox.payments.corrections import is_difference
from ...outbox.queue.new_message import customer_lane
from ...outbox.queue.once import holds_its_key
from ..actions.correct import correct
from ..actions.export import ExportAction
from ..actions.mark_delivered import mark_delivered
from ..actions.operate import cancel, hold, release, retry
from ..actions.selection import NonAtomicActions
from ..display.attempts import timeline
from ..display.columns import EMPTY, json_column, stacked, time_since, time_until
from ..display.filters import AttentionFilter, ModeFilter, OperationFilter, mode_column
from ..display.links import Link, host_link
from ..display.message_table import badge, in_words, lane_link, message_table
from ..display.read_only import LongListAdmin, permission_to
from ..display.search import MATCHES, CustomerSearch

CUSTOMER = Link(_("customer"), "customer_key", Customer, "customer_key", "customer_key")
TRANSACTION = Link(_("transaction"), "transaction_key", Transaction, "key", "key")

#: How many earlier and later messages of the customer the page of a message shows.
NEIGHBOURS = 5


@admin.register(OutboxMessage)
class OutboxMessageAdmin(CustomerSearch, ExportAction, NonAtomicActions, LongListAdmin):
    list_filter = (ModeFilter, AttentionFilter, "state", OperationFilter)
    search_fields = ("lane", "subject", "source_pk")
    unindexed = ("source_pk",)
    search_help_text = _(
        "By customer key, key of the payment, primary key of the site's object, or the customer's "
        "e-mail address or name."
    )
    sortable_by = ("status", "age")
    actions = (retry, hold, release, cancel, mark_delivered, correct)

    has_retry_permission = permission_to("retry")
    has_hold_permission = permission_to("hold")
    has_release_permission = permission_to("release")
    has_cancel_permission = permission_to("cancel")
    has_mark_delivered_permission = permission_to("mark_delivered")
    has_correct_permission = permission_to("correct")

    @transaction.non_atomic_requests
    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        is_of_failed = request.GET.get("state__exact") == State.FAILED
        context = {"retry_all": is_of_failed and self.has_retry_permission(request), **(extra_context or {})}
        return super().changelist_view(request, context)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        context["buttons"] = self.buttons(request, kwargs["obj"])
        return super().render_change_form(request, context, *args, **kwargs)

    def buttons(self, request: HttpRequest, message: OutboxMessage) -> list[tuple[str, str]]:
        """The names and labels of the actions that the user may take and that the message's state allows."""
        state = State.SCHEDULED if message.state == State.QUEUED else message.state
        choices = self.get_action_choices(request, default_choices=[])
        allowed = {name for name, states in ALLOWED_STATES.items() if state in states}
        # A message that differs from a reported payment can only be corrected, and no other can. One under
        # the key of another object is never sent.
        if is_difference(message):
            allowed &= {"correct"}
        else:
            allowed &= ALLOWED_STATES.keys() - {"correct"} if holds_its_key(message) else {"cancel"}
        return [(name, label) for name, label in choices if name in allowed]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request).annotate(**related_keys())
        return rows.annotate(**CUSTOMER.annotations(), **TRANSACTION.annotations())

    def of_customers(self, customers: list[Customer], text: str, shown: list[str]) -> Q:
        """Also those that PartnerStack does not have, by a whole e-mail address."""
        keys = [customer.customer_key for customer in customers]
        if "@" in text:
            keys += [key for mode in shown for key in find(text, mode=mode)][:MATCHES]
        return Q(lane__in=[customer_lane(key) for key in keys if key])

    def get_list_display(self, request: HttpRequest) -> tuple[Any, ...]:
        return ("operation", "status", "about", "why", "age", *mode_column(request))

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        about = ["operation", "subject_link", badge, "full_reason", "attempts", "mode"]
        if obj is not None and obj.note:
            about.insert(4, "note")
        return [
            (None, {"fields": about}),
            (_("Timeline"), {"fields": [timeline]}),
            (_("Messages of the same customer, in order"), {"fields": ["neighbours", lane_link]}),
            (_("Objects"), {"fields": ["source_object", CUSTOMER, TRANSACTION]}),
            (_("Content"), {"fields": [in_words, json_column("content")]}),
        ]

    @admin.display(description=_("about"))
    def about(self, message: Any) -> SafeString:
        """Links to the mirrored object, the customer's messages and the site's object."""
        return stacked(self.subject_link(message), lane_link(message), self.source_object(message))

    @admin.display(description=_("about"))
    def subject_link(self, message: Any) -> str:
        """A link to the customer or transaction, if it is mirrored."""
        if message.transaction_key:
            return TRANSACTION(message)
        is_customer = message.operation in mirrored_in(Customer)
        return CUSTOMER(message) if is_customer else message.subject or EMPTY

    @admin.display(description=_("reason"))
    def why(self, message: OutboxMessage) -> str:
        """The beginning of the reason, for the list."""
        return Truncator(conf.without_keys(message.reason)).chars(90)

    @admin.display(description=_("reason"))
    def full_reason(self, message: OutboxMessage) -> str:
        return conf.without_keys(message.reason) or EMPTY

    @admin.display(description=_("state"), ordering="next_try_at")
    def status(self, message: OutboxMessage) -> SafeString:
        """The state, the number of attempts and the time of the next attempt."""
        lines: list[str] = [badge(message)]
        if message.attempts:
            text = ngettext("{number} attempt", "{number} attempts", message.attempts)
            lines.append(text.format(number=message.attempts))
        if message.next_try_at:
            lines.append(_("next attempt in {time}").format(time=time_until(message.next_try_at)))
        return stacked(*lines)

    @admin.display(description=_("age"), ordering="-queued_at")
    def age(self, message: OutboxMessage) -> str:
        return time_since(message.queued_at)

    @admin.display(description=_("source"))
    def source_object(self, message: OutboxMessage) -> str:
        return host_link(message.source, message.source_pk, self.admin_site)

    @admin.display(description=_("before and after"))
    def neighbours(self, message: OutboxMessage) -> str:
        if not message.lane:
            return EMPTY
        lane = OutboxMessage.objects.filter(mode=message.mode, lane=message.lane)
        before = lane.filter(pk__lte=message.pk).order_by("-pk")[: NEIGHBOURS + 1]
        after = lane.filter(pk__gt=message.pk).order_by("pk")[:NEIGHBOURS]
        return message_table([*reversed(before), *after], current=message)


def related_keys() -> dict[str, Case]:
    """The customer key of a message and, if it is about a transaction, the transaction key."""
    prefix = customer_lane("")
    customer = When(lane__startswith=prefix, then=Substr("lane", len(prefix) + 1))
    transaction = When(operation__in=mirrored_in(Transaction), then=F("subject"))
    empty, text = Value(""), CharField()
    return {
        "customer_key": Case(customer, default=empty, output_field=text),
        "transaction_key": Case(transaction, default=empty, output_field=text),
    }
