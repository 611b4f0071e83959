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
        "held_until",
        "test_seen_at",
        "production_seen_at",
        "walk_as_stored",
    )

    @admin.display(description=_("walk under way"))
    def under_way(self, state: SyncState) -> Any:
        if not state.walk:
            return EMPTY
        return _("full") if state.walk.get("full") else _("incremental")

    @admin.display(description=_("held by"))
    def holder(self, state: SyncState) -> str:
        """Nobody once the time is up: the next run takes the resource over."""
        held = state.held_until is not None and state.held_until > timezone.now()
        return state.held_by if held else EMPTY

    @admin.display(description=_("walk under way"))
    def walk_as_stored(self, state: SyncState) -> str:
        return pretty(state.walk) if state.walk else EMPTY
