from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..conf import conf
from ..connection import ConfigurationError, get_client
from ..sync import Refreshed, refresh
from .mirror import MirrorAdmin
from .permissions import may

#: How many rows one click reads again, and how long it may take.
ROWS = 50
SECONDS = 20

#: How many failures a message tells in full.
TOLD = 3


class RefreshableAdmin(MirrorAdmin):
    """A mirror of what PartnerStack lets one read one by one, with an action that does so."""

    actions: tuple[str, ...] = ("refresh_from_partnerstack",)

    # No HTTP inside a database transaction, also on a site with ATOMIC_REQUESTS.
    @transaction.non_atomic_requests
    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return super().changelist_view(request, extra_context)

    has_refresh_permission = may("refresh")

    @admin.action(description=gettext_lazy("Refresh from PartnerStack"), permissions=["refresh"])
    def refresh_from_partnerstack(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        ours = queryset.filter(mode=conf.mode)
        selected, readable = queryset.count(), ours.count()
        try:
            with get_client() as client:
                done = refresh(self.model, ours[:ROWS], client=client, deadline_seconds=SECONDS)
        except ConfigurationError as error:
            self.message_user(request, str(error), messages.ERROR)
            return
        for level, text in told(done, over=max(readable - ROWS, 0), foreign=selected - readable):
            self.message_user(request, text, level)


def told(done: Refreshed, *, over: int, foreign: int) -> Iterator[tuple[int, str]]:
    """What happened, as levels and sentences: ``over`` the bound and of the other mode were not tried."""
    counts = {"updated": done.updated, "unchanged": done.unchanged, "missing": done.missing}
    text = _("{updated} updated, {unchanged} unchanged, {missing} missing, {failed} failed.")
    yield _level(done), text.format(**counts, failed=len(done.failed))
    for row, error in islice(done.failed.items(), TOLD):
        yield messages.ERROR, f"{row}: {error}"
    if len(done.failed) > TOLD:
        yield messages.ERROR, _("… and {more} more failed.").format(more=len(done.failed) - TOLD)
    if done.left:
        text = _("{left} not tried: {seconds} seconds were up.")
        yield messages.WARNING, text.format(left=done.left, seconds=SECONDS)
    if over:
        text = _("{over} not tried: at most {rows} are read at once.")
        yield messages.WARNING, text.format(over=over, rows=ROWS)
    if foreign:
        text = _("{foreign} not tried: the site runs in {mode} mode, and they are of another.")
        yield messages.WARNING, text.format(foreign=foreign, mode=conf.mode)


def _level(done: Refreshed) -> int:
    if done.failed:
        return messages.ERROR
    return messages.WARNING if done.missing else messages.SUCCESS
