"""Taking a person's word that PartnerStack has a message, after showing what PartnerStack says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..conf import conf
from ..connection import ConfigurationError
from ..models import OutboxMessage
from ..outbox.control import actions
from ..outbox.control.lookup import LookUp, look_up
from .columns import pretty
from .operators import operate
from .outbox_table import badge

#: How many messages are looked up for one page, and how long that may take.
ROWS, SECONDS = 20, 20


@admin.action(description=gettext_lazy("Mark as delivered …"), permissions=["mark_delivered"])
def mark_delivered(
    model_admin: Any, request: HttpRequest, queryset: QuerySet[OutboxMessage]
) -> TemplateResponse | None:
    over = max(queryset.count() - ROWS, 0)
    rows = list(queryset.order_by("pk")[:ROWS])
    if "confirmed" in request.POST:
        done = _("{count} marked as delivered.")
        model_admin.message_user(request, *operate(actions.mark_delivered, rows, done))
        return None
    looked_up = ask([row for row in rows if row.in_doubt_since and possible(row)])
    context = {
        **model_admin.admin_site.each_context(request),
        "title": _("Mark as delivered"),
        "opts": model_admin.opts,
        "media": model_admin.media,
        "checkbox": ACTION_CHECKBOX_NAME,
        "rows": [shown(row, looked_up.get(row.pk)) for row in rows],
        "over": over,
        "most": ROWS,
    }
    return TemplateResponse(request, "admin/partnerstack/outboxmessage/mark_delivered.html", context)


def shown(message: OutboxMessage, look_up: LookUp | None) -> tuple[Any, ...]:
    """
    What the page shows of a message: itself, whether it can be marked, state, reason, content, the look-up
    and the records that it gave.
    """
    records = [look_up.found, *look_up.candidates] if look_up else []
    raws = [pretty(record.raw) for record in records if record is not None]
    reason = conf.without_keys(message.reason)
    return message, possible(message), badge(message), reason, pretty(message.content), look_up, raws


def possible(message: OutboxMessage) -> bool:
    return message.state in actions.ALLOWED_STATES["mark_delivered"]


def ask(rows: Sequence[OutboxMessage]) -> dict[int, LookUp]:
    """What PartnerStack has of messages in doubt."""
    try:
        return look_up(rows, seconds=SECONDS) if rows else {}
    except ConfigurationError as error:
        return {row.pk: LookUp(problem=str(error)) for row in rows}
