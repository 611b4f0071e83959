from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ...conf import conf
from ...models import ThrottleState
from ...throttle.throttle import resume_delivery
from ..actions.export import ExportAction
from ..actions.selection import NonAtomicActions
from ..display.columns import EMPTY, moment_with_zone
from ..display.read_only import ReadOnlyAdmin, permission_to


@admin.register(ThrottleState)
class ThrottleStateAdmin(ExportAction, NonAtomicActions, ReadOnlyAdmin):
    list_display = ("__str__", "paused", "reason")
    fields = ("mode", "paused", "reason")
    actions = ("resume",)

    has_resume_permission = permission_to("resume")

    @admin.display(description=gettext_lazy("paused until"))
    def paused(self, connection: ThrottleState) -> Any:
        until = paused_until(connection)
        return moment_with_zone(until) if until else _("not paused")

    @admin.display(description=gettext_lazy("reason"))
    def reason(self, connection: ThrottleState) -> str:
        return conf.without_keys(connection.pause_reason) if paused_until(connection) else EMPTY

    @admin.action(description=gettext_lazy("Resume delivery"), permissions=["resume"])
    def resume(self, request: HttpRequest, queryset: QuerySet[ThrottleState]) -> None:
        for connection in queryset:
            level, text = messages.WARNING, _("Delivery to {connection} was not paused.")
            if resume_delivery(connection.mode):
                level = messages.SUCCESS
                text = _("Delivery to {connection} is resumed. A message may be sent first as a probe.")
            self.message_user(request, text.format(connection=connection), level)


def paused_until(connection: ThrottleState) -> datetime | None:
    """None if a pause is over."""
    until = connection.paused_until
    return until if until is not None and until > timezone.now() else None
