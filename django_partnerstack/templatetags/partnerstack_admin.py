from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django import template

from ..conf import conf
from ..insight.findings import Severity
from ..insight.status import Health, health
from ..models.mirror import Mode

register = template.Library()

#: The classes of Django's messages.
CLASSES = {Severity.ERROR: "error", Severity.WARN: "warning", Severity.INFO: "info"}


@register.inclusion_tag("admin/partnerstack/mode.html", takes_context=True)
def partnerstack_mode(context: template.Context) -> dict[str, Any]:
    """Test mode, and what the status finds."""
    now = health()
    if request := context.get("request"):
        request.partnerstack_health = now  # For the overview, which shows it, too.
    return {"test": conf.mode == Mode.TEST and not now.mode_seen, "findings": list(_shown(now, context))}


def _shown(now: Health, context: template.Context) -> Iterator[dict[str, Any]]:
    """The findings, each with the URL of its page if the user may see that."""
    request = context.get("request")
    site = getattr(request.resolver_match, "namespace", "") if request else ""
    for finding in now.findings:
        link = finding.link
        may_see = link is not None and request is not None and request.user.has_perm(link.permission)
        url = link.url(site or "admin") if link is not None and may_see else ""
        yield {"finding": finding, "class": CLASSES.get(finding.severity, "info"), "url": url}
