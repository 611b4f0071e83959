from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ..models import SyncState
from .columns import EMPTY, pretty
from .filters import ModeFilter
from .readonly import ReadOnlyAdmin


@admin.register(SyncState)
class SyncStateAdmin(ReadOnlyAdmin):
    list_display = ("resource", "mode", "watermark", "completed_at", "under_way", "holder")
    list_filter = (ModeFilter,)
    ordering = ("mode", "resource")
    fields = (
        "resource",
        "mode",
        "watermark",
        "completed_at",
        "holder",
        "lease_expires_at",
        "test_seen_at",
        "production_seen_at",
        "walk_as_stored",
    )

    @admin.display(description=_("walk under way"))
    def under_way(self, state: SyncState) -> Any:
        if not state.checkpoint:
            return EMPTY
        return _("full") if state.checkpoint.get("full") else _("incremental")

    @admin.display(description=_("held by"))
    def holder(self, state: SyncState) -> str:
        """Nobody once the time is up: the next run takes the resource over."""
        held = state.lease_expires_at is not None and state.lease_expires_at > timezone.now()
        return state.lease_owner if held else EMPTY

    @admin.display(description=_("walk under way"))
    def walk_as_stored(self, state: SyncState) -> str:
        return pretty(state.checkpoint) if state.checkpoint else EMPTY
