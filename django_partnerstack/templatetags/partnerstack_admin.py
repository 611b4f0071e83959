from __future__ import annotations

from typing import Any

from django import template

from ..conf import conf
from ..models import SyncState
from ..models.mirror import Mode
from ..outbox import trouble

register = template.Library()


@register.inclusion_tag("admin/partnerstack/mode.html", takes_context=True)
def partnerstack_mode(context: template.Context) -> dict[str, Any]:
    """
    Which mode runs, where it is not the usual one, and the one that was seen, where it differs; and what
    keeps messages from leaving.
    """
    wrong = trouble(conf.mode)
    return {
        "declared": conf.mode,
        "seen": SyncState.objects.mode_mismatch(conf.mode),
        "test": conf.mode == Mode.TEST,
        "trouble": wrong,
        "perms": context.get("perms"),
        "because": conf.without_keys(wrong.closed_because),
    }
