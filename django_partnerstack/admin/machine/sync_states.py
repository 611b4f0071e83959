from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ...models import SyncState
from ..display.columns import EMPTY, pretty
from ..display.filters import ModeFilter
from ..display.read_only import ReadOnlyAdmin


@admin.register(SyncState)
class SyncStateAdmin(ReadOnlyAdmin):
    list_display = ("resource", "mode", "completed_at", "watermark", "in_progress", "locked_by")
    list_filter = (ModeFilter,)
    ordering = ("mode", "resource")
    fields = (
        "resource",
        "mode",
        "completed_at",
        "watermark",
        "in_progress",
        "locked_by",
        "lease_expires_at",
        "test_seen_at",
        "production_seen_at",
        "checkpoint_as_stored",
    )

    @admin.display(description=_("in progress"))
    def in_progress(self, state: SyncState) -> Any:
        if not state.checkpoint:
            return EMPTY
        return _("full sync") if state.checkpoint.get("full") else _("incremental sync")

    @admin.display(description=_("locked by"))
    def locked_by(self, state: SyncState) -> str:
        """Empty after the lease expired: then the next run may take the lock."""
        locked = state.lease_expires_at is not None and state.lease_expires_at > timezone.now()
        return state.lease_owner if locked else EMPTY

    @admin.display(description=_("checkpoint"))
    def checkpoint_as_stored(self, state: SyncState) -> str:
        return pretty(state.checkpoint) if state.checkpoint else EMPTY
