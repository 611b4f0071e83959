from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..conf import conf
from ..models import OutboxConnection, OutboxLane, OutboxMessage
from ..outbox import open_line
from .filters import ModeFilter
from .outbox_table import list_link, message_table
from .paginator import BoundedPaginator
from .permissions import may
from .readonly import ReadOnlyAdmin

#: How many messages the page of a lane shows.
LATEST = 20


@admin.register(OutboxLane)
class OutboxLaneAdmin(ReadOnlyAdmin):
    list_display = ("key", "standing", "due_at", "messages")
    list_filter = (ModeFilter, "standing")
    fields = ("key", "mode", "standing", "due_at", "messages", "latest")
    ordering = ("-pk",)
    search_fields = ("key",)
    sortable_by = ("due_at",)
    paginator = BoundedPaginator
    show_full_result_count = False

    @admin.display(description=gettext_lazy("messages"))
    def messages(self, lane: OutboxLane) -> SafeString:
        return list_link(_("Show them"), mode=lane.mode, lane=lane.key)

    @admin.display(description=gettext_lazy("latest messages"))
    def latest(self, lane: OutboxLane) -> SafeString:
        return message_table(OutboxMessage.objects.filter(mode=lane.mode, lane=lane.key)[:LATEST])


@admin.register(OutboxConnection)
class OutboxConnectionAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "line", "because", "next_slot_at")
    fields = ("mode", "line", "because", "next_slot_at")
    actions = ("open_again",)

    has_open_permission = may("open")

    # The line is locked in a transaction of its own.
    @transaction.non_atomic_requests
    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return super().changelist_view(request, extra_context)

    @admin.display(description=gettext_lazy("closed until"))
    def line(self, connection: OutboxConnection) -> Any:
        return connection.closed_until if is_closed(connection) else _("open")

    @admin.display(description=gettext_lazy("because"))
    def because(self, connection: OutboxConnection) -> str:
        return conf.without_keys(connection.closed_reason) if is_closed(connection) else ""

    @admin.action(description=gettext_lazy("Open the line again now"), permissions=["open"])
    def open_again(self, request: HttpRequest, queryset: QuerySet[OutboxConnection]) -> None:
        for connection in queryset:
            if open_line(connection.mode):
                text = _("{connection} is open again; a single message goes first where much has failed.")
                self.message_user(request, text.format(connection=connection), messages.SUCCESS)
            else:
                text = _("{connection} was not closed.")
                self.message_user(request, text.format(connection=connection), messages.WARNING)


def is_closed(connection: OutboxConnection) -> bool:
    return connection.closed_until is not None and connection.closed_until > timezone.now()
