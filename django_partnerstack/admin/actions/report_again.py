"""The action "Report again": asks the sources of the selected objects again."""

from __future__ import annotations

import logging
from typing import Any

from django.contrib import admin, messages
from django.db import router, transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ... import track
from ...conf import conf
from ...models import OutboxMessage, SourceFailure
from ...outbox.queue.source_failures import failed_object, object_failed, object_reported
from .selection import left_out, limited

logger = logging.getLogger(__name__)

#: Limits of a click: objects, and errors to show.
ROWS, SHOWN = 200, 3


@admin.action(description=gettext_lazy("Report again"), permissions=["report"])
def report_again(model_admin: Any, request: HttpRequest, queryset: QuerySet[SourceFailure]) -> None:
    rows, over = limited(queryset.filter(mode=conf.mode), ROWS)
    other_mode = queryset.exclude(mode=conf.mode).count()
    reported, gone, errors = 0, 0, []
    for row in rows:
        try:
            if _report_again(row):
                reported += 1
            else:
                gone += 1
        except Exception as error:
            logger.exception("%s could not be queued for PartnerStack.", row)
            errors.append(f"{row}: {error}")
    texts = {_("{number} reported."): reported, _("{number} removed: the objects no longer exist."): gone}
    for text, number in texts.items():
        if number:
            model_admin.message_user(request, text.format(number=number), messages.SUCCESS)
    for text in errors[:SHOWN]:
        model_admin.message_user(request, conf.without_keys(text), messages.ERROR)
    if len(errors) > SHOWN:
        text = _("… and {more} more failed.").format(more=len(errors) - SHOWN)
        model_admin.message_user(request, text, messages.ERROR)
    for level, text in left_out(over=over, limit=ROWS, other_mode=other_mode):
        model_admin.message_user(request, text, level)


def _report_again(failure: SourceFailure) -> bool:
    """Report the object of a failure. Returns False if it no longer exists. Raises what its source raises."""
    with failed_object(failure) as instance:
        if instance is None:
            failure.delete()
            return False
        try:
            with transaction.atomic(router.db_for_write(OutboxMessage, instance=instance)):
                track.report(instance)
                object_reported(instance)
        except Exception as error:
            object_failed(instance, error)
            raise
    return True
