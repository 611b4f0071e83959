"""The action "Forget": shows first what would be erased, and what PartnerStack would be told."""

from __future__ import annotations

import logging
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ... import track
from ...conf import conf
from ...models import ForgottenCustomer
from ...privacy.words import erased, remaining, told
from .selection import NonAtomicActions, left_out, limited

logger = logging.getLogger(__name__)

#: Customers of a page. Each is erased and rolled back to show what would happen.
ROWS = 10


class ForgetAction(NonAtomicActions):
    """The action for any model with a column ``customer_key``."""

    def has_forget_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("partnerstack.forget_customer")

    @admin.action(description=gettext_lazy("Forget …"), permissions=["forget"])
    def forget(self, request: HttpRequest, queryset: QuerySet[Any]) -> TemplateResponse | None:
        rows, over = limited(queryset.order_by("pk"), ROWS)
        of_this_mode = [row for row in rows if row.mode == conf.mode and row.customer_key]
        other_mode = len(rows) - len(of_this_mode)
        keep_payments = "keep_payments" in request.POST
        if "confirmed" in request.POST:
            for row in of_this_mode:
                self._forget(request, row.customer_key, keep_payments=keep_payments)
            return None
        context = {
            **self.admin_site.each_context(request),
            "title": _("Forget customers"),
            "opts": self.opts,
            "media": self.media,
            "checkbox": ACTION_CHECKBOX_NAME,
            "rows": [{"row": row, "sentences": self._planned(row)} for row in of_this_mode],
            "left_out": [text for _level, text in left_out(over=over, limit=ROWS, other_mode=other_mode)],
        }
        return TemplateResponse(request, "admin/partnerstack/customer/forget.html", context)

    def _planned(self, row: Any) -> list[str]:
        erasure = track.forget(row.customer_key, dry_run=True)
        return [erased(erasure), *told(erasure), *remaining(erasure)]

    def _forget(self, request: HttpRequest, customer_key: str, *, keep_payments: bool) -> None:
        try:
            erasure = track.forget(customer_key, keep_payments=keep_payments)
        except Exception as error:
            logger.exception("A customer could not be forgotten.")
            text = _("{customer} could not be forgotten: {error} Try again.")
            self.message_user(request, text.format(customer=customer_key, error=error), messages.ERROR)
            return
        forgotten = ForgottenCustomer.objects.get(mode=conf.mode, customer_key=erasure.customer_key)
        LogEntry.objects.create(
            user_id=request.user.pk or 0,
            content_type=ContentType.objects.get_for_model(ForgottenCustomer),
            object_id=str(forgotten.pk),
            object_repr=erasure.customer_key[:200],
            action_flag=CHANGE,
            change_message="Forgotten.",
        )
        text = _("Customer {customer} is forgotten. {what}")
        what = " ".join([erased(erasure), *told(erasure)])
        self.message_user(request, text.format(customer=erasure.customer_key, what=what), messages.SUCCESS)
