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
from ..models import OutboxLane, OutboxMessage, ThrottleState
from ..throttle.throttle import resume_delivery
from .filters import ModeFilter
from .outbox_table import list_link, message_table
from .paginator import BoundedPaginator
from .permissions import may
from .readonly import ReadOnlyAdmin

#: How many messages the page of a lane shows.
LATEST = 20


@admin.register(OutboxLane)
class OutboxLaneAdmin(ReadOnlyAdmin):
    list_display = ("key", "status", "due_at", "messages")
    list_filter = (ModeFilter, "status")
    fields = ("key", "mode", "status", "due_at", "messages", "latest")
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


@admin.register(ThrottleState)
class ThrottleStateAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "paused", "because", "next_slot_at")
    fields = ("mode", "paused", "because", "next_slot_at")
    actions = ("resume",)

    has_resume_permission = may("resume")

    # The throttle row is locked in a transaction of its own.
    @transaction.non_atomic_requests
    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return super().changelist_view(request, extra_context)

    @admin.display(description=gettext_lazy("paused until"))
    def paused(self, connection: ThrottleState) -> Any:
        return connection.paused_until if is_paused(connection) else _("no")

    @admin.display(description=gettext_lazy("because"))
    def because(self, connection: ThrottleState) -> str:
        return conf.without_keys(connection.pause_reason) if is_paused(connection) else ""

    @admin.action(description=gettext_lazy("Resume delivery"), permissions=["resume"])
    def resume(self, request: HttpRequest, queryset: QuerySet[ThrottleState]) -> None:
        for connection in queryset:
            if resume_delivery(connection.mode):
                text = _("Delivery to {connection} is resumed. A single message may go first as a probe.")
                self.message_user(request, text.format(connection=connection), messages.SUCCESS)
            else:
                text = _("Delivery to {connection} was not paused.")
                self.message_user(request, text.format(connection=connection), messages.WARNING)


def is_paused(connection: ThrottleState) -> bool:
    return connection.paused_until is not None and connection.paused_until > timezone.now()
