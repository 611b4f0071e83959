from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..conf import conf
from ..models import OutboxMessage
from ..outbox.queue.messages import customer_lane
from .columns import EMPTY
from .mirror import MirrorAdmin
from .outbox_table import list_link, message_table
from .permissions import may
from .push import PushAction

#: How many messages the page of a row shows.
LATEST = 20


class PushableAdmin(PushAction, MirrorAdmin):
    """A mirror of what this site tells PartnerStack of: shows its messages, and delivers them."""

    #: The column that holds the customer's key on this site.
    customer_column: str

    has_push_permission = may("push")

    def lanes(self, request: HttpRequest, rows: list[Any]) -> dict[Any, str]:
        ours = [row for row in rows if row.mode == conf.mode]
        if len(ours) < len(rows):
            text = _("{foreign} not tried: the site runs in {mode} mode, and they are of another.")
            text = text.format(foreign=len(rows) - len(ours), mode=conf.mode)
            self.message_user(request, text, messages.WARNING)
        return {row: customer_lane(getattr(row, self.customer_column)) for row in ours}

    def messages_of(self, row: Any) -> Q:
        """Which messages are about a row."""
        return Q(lane=customer_lane(getattr(row, self.customer_column)))

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        fieldsets = super().get_fieldsets(request, obj)
        if not request.user.has_perm("partnerstack.view_outboxmessage"):
            return fieldsets
        return [*fieldsets[:-1], (gettext_lazy("Outbox"), {"fields": ["outbox"]}), fieldsets[-1]]

    @admin.display(description=gettext_lazy("messages"))
    def outbox(self, row: Any) -> str:
        messages: QuerySet[OutboxMessage] = OutboxMessage.objects.filter(self.messages_of(row), mode=row.mode)
        table = message_table(messages.defer("payload", "response")[:LATEST])
        lane = customer_lane(getattr(row, self.customer_column))
        link = list_link(_("All messages of this customer"), mode=row.mode, lane=lane)
        return format_html("{}<p>{}</p>", table, link) if table else EMPTY
