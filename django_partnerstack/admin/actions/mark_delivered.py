"""The action "Mark as delivered": shows first what PartnerStack has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ...conf import conf
from ...connection import ConfigurationError
from ...models import OutboxMessage
from ...outbox.control import actions
from ...outbox.control.lookup import LookUp, look_up
from ..display.columns import pretty
from ..display.message_table import badge, in_words
from .operate import operate
from .selection import left_out, limited

#: Limits of a page: messages, and seconds in which look-ups may begin.
ROWS, SECONDS = 20, 20


@admin.action(description=gettext_lazy("Mark as delivered …"), permissions=["mark_delivered"])
def mark_delivered(
    model_admin: Any, request: HttpRequest, queryset: QuerySet[OutboxMessage]
) -> TemplateResponse | None:
    rows, over = limited(queryset.order_by("pk"), ROWS)
    if "confirmed" in request.POST:
        done = _("{count} marked as delivered.")
        model_admin.message_user(request, *operate(actions.mark_delivered, rows, done))
        return None
    looked_up = results([row for row in rows if row.in_doubt_since and is_possible(row)])
    context = {
        **model_admin.admin_site.each_context(request),
        "title": _("Mark as delivered"),
        "opts": model_admin.opts,
        "media": model_admin.media,
        "checkbox": ACTION_CHECKBOX_NAME,
        "rows": [page_row(row, looked_up.get(row.pk)) for row in rows],
        "left_out": [text for _level, text in left_out(over=over, limit=ROWS)],
    }
    return TemplateResponse(request, "admin/partnerstack/outboxmessage/mark_delivered.html", context)


def page_row(message: OutboxMessage, look_up: LookUp | None) -> dict[str, Any]:
    records = [look_up.found, *look_up.candidates] if look_up else []
    return {
        "message": message,
        "is_possible": is_possible(message),
        "badge": badge(message),
        "reason": conf.without_keys(message.reason),
        "content": format_html("{}{}", in_words(message), pretty(message.content)),
        "look_up": look_up,
        "records": [pretty(record.raw) for record in records if record is not None],
    }


def is_possible(message: OutboxMessage) -> bool:
    return message.state in actions.ALLOWED_STATES["mark_delivered"]


def results(rows: Sequence[OutboxMessage]) -> dict[int, LookUp]:
    """The results of the look-ups, by primary key of the message."""
    try:
        return look_up(rows, seconds=SECONDS) if rows else {}
    except ConfigurationError as error:
        return {row.pk: LookUp(problem=str(error)) for row in rows}
