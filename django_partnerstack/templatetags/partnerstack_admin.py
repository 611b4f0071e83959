from __future__ import annotations

from typing import Any

from django import template

from ..conf import conf
from ..insight.status import delivery_health
from ..models import SyncState
from ..models.mirror import Mode

register = template.Library()


@register.inclusion_tag("admin/partnerstack/mode.html", takes_context=True)
def partnerstack_mode(context: template.Context) -> dict[str, Any]:
    """Test mode, data of the other mode, paused delivery, and what needs attention."""
    health = delivery_health(conf.mode)
    return {
        "declared": conf.mode,
        "seen": SyncState.objects.mode_mismatch(conf.mode),
        "test": conf.mode == Mode.TEST,
        "health": health,
        "perms": context.get("perms"),
        "pause_reason": conf.without_keys(health.pause_reason),
    }
