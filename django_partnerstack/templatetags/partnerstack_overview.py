from __future__ import annotations

from typing import Any

from django import template

from ..admin.overview.page import page

register = template.Library()


@register.inclusion_tag("admin/partnerstack/overview.html", takes_context=True)
def partnerstack_overview(context: template.Context) -> dict[str, Any]:
    """The overview, and then the pages of the app in two groups."""
    request = context["request"]
    return {"request": request, **page(request, context["app_list"])}
