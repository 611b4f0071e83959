"""The action "Correct the payment": shows first what was reported and what replaces it."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ...exceptions import InvalidTransition, RefundError
from ...models import OutboxMessage
from ...outbox.payments.corrections import correct_payment, correction_of
from ..display.columns import pretty
from .operate import operate
from .selection import left_out, limited

#: Messages of a page.
ROWS = 20


@admin.action(description=gettext_lazy("Correct the payment …"), permissions=["correct"])
def correct(
    model_admin: Any, request: HttpRequest, queryset: QuerySet[OutboxMessage]
) -> TemplateResponse | None:
    rows, over = limited(queryset.order_by("pk"), ROWS)
    if "confirmed" in request.POST:
        model_admin.message_user(request, *operate(correct_payment, rows, _("{count} corrected.")))
        return None
    context = {
        **model_admin.admin_site.each_context(request),
        "title": _("Correct payments"),
        "opts": model_admin.opts,
        "media": model_admin.media,
        "checkbox": ACTION_CHECKBOX_NAME,
        "rows": [page_row(row) for row in rows],
        "left_out": [text for _level, text in left_out(over=over, limit=ROWS)],
    }
    return TemplateResponse(request, "admin/partnerstack/outboxmessage/correct.html", context)


def page_row(message: OutboxMessage) -> dict[str, Any]:
    row: dict[str, Any] = {"message": message, "wanted": pretty(message.payload)}
    try:
        return {**row, "reported": pretty(correction_of(message).reported)}
    except (InvalidTransition, RefundError) as error:
        return {**row, "problem": str(error)}
