"""The pages of customers and transactions, which this site reports."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ...conf import conf
from ...models import Action, Customer, OutboxMessage, Reward, Transaction
from ...outbox.keys import payment_key
from ...outbox.operations import mirrored_in
from ...outbox.queue.new_message import customer_lane
from ..actions.forget import ForgetAction
from ..actions.push import PushAction
from ..actions.selection import left_out
from ..display.columns import EMPTY, money
from ..display.links import Related
from ..display.message_table import list_link, message_table
from ..display.partner_filter import BY_CUSTOMER, BY_PARTNERSHIP
from ..display.read_only import permission_to
from ..display.search import CustomerSearch
from .attributions import attribution_link, explanation
from .mirror import CUSTOMER, PARTNERSHIP, MirrorAdmin

#: How many messages the page of a row shows.
LATEST = 20


class ReportedMirrorAdmin(PushAction, MirrorAdmin):
    """The mirror of a resource that this site reports: shows the messages of a row, and delivers them."""

    #: The column with the customer's key on this site.
    customer_column: str

    actions: tuple[str, ...] = ("push_to_partnerstack", "refresh_from_partnerstack")

    has_push_permission = permission_to("push")

    def lanes(self, request: HttpRequest, rows: list[Any]) -> dict[Any, str]:
        of_this_mode = [row for row in rows if row.mode == conf.mode]
        for level, text in left_out(other_mode=len(rows) - len(of_this_mode)):
            self.message_user(request, text, level)
        return {row: self.lane(row) for row in of_this_mode}

    def lane(self, row: Any) -> str:
        return customer_lane(getattr(row, self.customer_column))

    def messages_of(self, row: Any) -> Q:
        return Q(lane=self.lane(row))

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        fieldsets = super().get_fieldsets(request, obj)
        if not request.user.has_perm("partnerstack.view_outboxmessage"):
            return fieldsets
        return [*fieldsets[:-1], (gettext_lazy("Outbox"), {"fields": ["outbox"]}), fieldsets[-1]]

    @admin.display(description=gettext_lazy("messages"))
    def outbox(self, row: Any) -> str:
        messages = OutboxMessage.objects.filter(self.messages_of(row), mode=row.mode)
        table = message_table(messages.defer("payload")[:LATEST])
        link = list_link(_("All messages of this customer"), mode=row.mode, lane=self.lane(row))
        return format_html("{}<p>{}</p>", table, link) if table else EMPTY


@admin.register(Customer)
class CustomerAdmin(CustomerSearch, ForgetAction, ReportedMirrorAdmin):
    actions = (*ReportedMirrorAdmin.actions, "forget")
    columns = ("customer_key", "email", PARTNERSHIP)
    details = ("name", "partner_key", "provider_key", "test")
    related = (
        Related(Transaction, "customer_key"),
        Related(Reward, "customer_key"),
        Related(Action, "customer_key"),
    )
    filters = (BY_PARTNERSHIP, "test")
    search_fields = ("key", "customer_key")
    search_help_text = gettext_lazy("By a whole key, or a part of the e-mail address or name.")
    customer_column = "customer_key"

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        fieldsets = super().get_fieldsets(request, obj)
        if not request.user.has_perm("partnerstack.view_attribution"):
            return fieldsets
        attribution = (gettext_lazy("Attribution"), {"fields": [attribution_link, explanation(request)]})
        return [fieldsets[0], attribution, *fieldsets[1:]]

    def of_customers(self, customers: list[Customer], text: str, shown: list[str]) -> Q:
        return Q(pk__in=[customer.pk for customer in customers])


@admin.register(Transaction)
class TransactionAdmin(CustomerSearch, ReportedMirrorAdmin):
    has_totals = True
    columns = ("key", money, CUSTOMER, "approved")
    details = ("customer_external_key", "test")
    related = (Related(Reward, "transaction_key"),)
    filters = (BY_CUSTOMER, "approved", "test")
    search_fields = ("key", "customer_key", "customer_external_key")
    unindexed = ("customer_external_key",)
    customer_column = "customer_external_key"

    def messages_of(self, row: Any) -> Q:
        """After a partial refund PartnerStack has the rest of the payment under a key of its own."""
        subjects = {row.key, payment_key(row.key)}
        return Q(subject__in=subjects, operation__in=mirrored_in(Transaction))
