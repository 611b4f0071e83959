from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ...conf import conf
from ...models import SyncState
from ..actions.export import ExportAction
from ..display.columns import EMPTY, json_column, time_since
from ..display.filters import ModeFilter, mode_column
from ..display.read_only import ReadOnlyAdmin

CHECKPOINT = json_column("checkpoint", gettext_lazy("checkpoint"))


@admin.register(SyncState)
class SyncStateAdmin(ExportAction, ReadOnlyAdmin):
    list_filter = (ModeFilter,)
    ordering = ("mode", "resource")
    fieldsets: ClassVar[Any] = (
        (
            None,
            {
                "fields": (
                    "resource",
                    "mode",
                    "completed_at",
                    "full_completed_at",
                    "watermark",
                    "attempted_at",
                    "last_run",
                    "last_error",
                    "failed_at",
                )
            },
        ),
        (
            gettext_lazy("Sync in progress"),
            {"fields": ("in_progress", "locked_by", "lease_expires_at", CHECKPOINT)},
        ),
        (gettext_lazy("Data seen"), {"fields": ("test_seen_at", "production_seen_at")}),
    )

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        columns = ("resource", "age", "last_run", "in_progress", "last_error")
        return (*columns, *mode_column(request))

    @admin.display(description=gettext_lazy("last completed"), ordering="completed_at")
    def age(self, state: SyncState) -> str:
        if state.completed_at is None:
            return _("never")
        return _("{time} ago").format(time=time_since(state.completed_at))

    @admin.display(description=gettext_lazy("last run"))
    def last_run(self, state: SyncState) -> str:
        """How long it took, and how many objects it read and changed."""
        if state.duration is None:
            return EMPTY
        text = _("{seconds} s, {read} read, {changed} changed")
        seconds = number_format(state.duration.total_seconds(), 1)
        numbers = {"read": number_format(state.read or 0), "changed": number_format(state.changed or 0)}
        return text.format(seconds=seconds, **numbers)

    @admin.display(description=gettext_lazy("in progress"))
    def in_progress(self, state: SyncState) -> Any:
        if not state.checkpoint:
            return EMPTY
        return _("full sync") if state.checkpoint.get("full") else _("incremental sync")

    @admin.display(description=gettext_lazy("locked by"))
    def locked_by(self, state: SyncState) -> str:
        """Empty once the lease has expired: the next run may then take over."""
        locked = state.lease_expires_at is not None and state.lease_expires_at > timezone.now()
        return state.lease_owner if locked else EMPTY

    @admin.display(description=gettext_lazy("last error"))
    def last_error(self, state: SyncState) -> str:
        """Empty after a finished sync."""
        return conf.without_keys(state.error) or EMPTY
