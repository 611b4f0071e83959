from __future__ import annotations

from django.contrib import admin
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ...models import OutboxLane, OutboxMessage
from ..display.filters import ModeFilter
from ..display.message_table import list_link, message_table
from ..display.read_only import LongListAdmin

#: How many messages the page of a lane shows.
LATEST = 20


@admin.register(OutboxLane)
class OutboxLaneAdmin(LongListAdmin):
    list_display = ("key", "status", "due_at", "messages")
    list_filter = (ModeFilter, "status")
    fields = ("key", "mode", "status", "due_at", "messages", "latest")
    ordering = ("-pk",)
    search_fields = ("key",)
    sortable_by = ("due_at",)

    @admin.display(description=gettext_lazy("messages"))
    def messages(self, lane: OutboxLane) -> SafeString:
        return list_link(_("Show them"), mode=lane.mode, lane=lane.key)

    @admin.display(description=gettext_lazy("latest messages"))
    def latest(self, lane: OutboxLane) -> SafeString:
        return message_table(OutboxMessage.objects.filter(mode=lane.mode, lane=lane.key)[:LATEST])
