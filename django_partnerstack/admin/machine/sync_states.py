from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ...conf import conf
from ...models import SyncState
from ..display.columns import EMPTY, json_column
from ..display.filters import ModeFilter, mode_column
from ..display.read_only import ReadOnlyAdmin

CHECKPOINT = json_column("checkpoint", _("checkpoint"))


@admin.register(SyncState)
class SyncStateAdmin(ReadOnlyAdmin):
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
                    "last_error",
                )
            },
        ),
        (_("Sync in progress"), {"fields": ("in_progress", "locked_by", "lease_expires_at", CHECKPOINT)}),
        (_("Data seen"), {"fields": ("test_seen_at", "production_seen_at")}),
    )

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        columns = ("resource", "completed_at", "watermark", "in_progress", "locked_by", "last_error")
        return (*columns, *mode_column(request))

    @admin.display(description=_("in progress"))
    def in_progress(self, state: SyncState) -> Any:
        if not state.checkpoint:
            return EMPTY
        return _("full sync") if state.checkpoint.get("full") else _("incremental sync")

    @admin.display(description=_("locked by"))
    def locked_by(self, state: SyncState) -> str:
        """Empty once the lease has expired: the next run may then take over."""
        locked = state.lease_expires_at is not None and state.lease_expires_at > timezone.now()
        return state.lease_owner if locked else EMPTY

    @admin.display(description=_("last error"))
    def last_error(self, state: SyncState) -> str:
        return conf.without_keys(state.error) or EMPTY
