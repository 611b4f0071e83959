"""The action "Refresh from PartnerStack": reads the selected rows again, within limits."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ...conf import conf
from ...connection import ConfigurationError, get_client
from ...exceptions import AuthenticationFailed, NotSent, PartnerStackError
from ...sync import Refreshed, refresh
from .selection import Message, NonAtomicActions, left_out, limited, names

#: Limits of a click: rows, and seconds in which requests may begin.
ROWS, SECONDS = 50, 20

#: How many reasons of failures are shown.
SHOWN = 3


class RefreshAction(NonAtomicActions):
    @admin.action(description=gettext_lazy("Refresh from PartnerStack"), permissions=["refresh"])
    def refresh_from_partnerstack(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        rows, over = limited(queryset.filter(mode=conf.mode), ROWS)
        other_mode = queryset.exclude(mode=conf.mode).count()
        try:
            with get_client() as client:
                refreshed = refresh(self.model, rows, client=client, deadline_seconds=SECONDS)
        except ConfigurationError as error:
            self.message_user(request, str(error), messages.ERROR)
            return
        others = left_out(over=over, limit=ROWS, other_mode=other_mode)
        for level, text in (*summary(refreshed), *others):
            self.message_user(request, text, level)


def summary(refreshed: Refreshed) -> Iterator[Message]:
    text = _("{updated} updated, {unchanged} unchanged, {missing} missing, {failed} failed.")
    counts = {**vars(refreshed), "failed": len(refreshed.failed)}
    yield _level(refreshed), text.format(**counts)
    reasons: dict[str, list[str]] = {}
    for row, error in refreshed.failed.items():
        reasons.setdefault(_why(error), []).append(row)
    for why, rows in islice(reasons.items(), SHOWN):
        yield messages.ERROR, f"{names(rows)}: {why}"
    if len(reasons) > SHOWN:
        more = sum(len(rows) for rows in islice(reasons.values(), SHOWN, None))
        yield messages.ERROR, _("… and {more} more failed.").format(more=more)
    if refreshed.not_tried:
        text = _("{not_tried} not tried: the limit of {seconds} seconds was reached.")
        yield messages.WARNING, text.format(not_tried=refreshed.not_tried, seconds=SECONDS)


def _why(error: PartnerStackError) -> str:
    """What the operator can do about it, if nothing is wrong with the object."""
    if isinstance(error, NotSent):
        return _("PartnerStack cannot be reached. Check the network and PARTNERSTACK_API_URL, or try later.")
    if isinstance(error, AuthenticationFailed):
        return _("PartnerStack rejected the API keys. Correct them in the settings of the site.")
    return str(error)


def _level(refreshed: Refreshed) -> int:
    if refreshed.failed:
        return messages.ERROR
    return messages.WARNING if refreshed.missing else messages.SUCCESS
