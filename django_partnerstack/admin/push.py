"""The action "Push to PartnerStack": what waits for the selected rows is delivered at once, in bounds."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.contrib.auth import get_permission_codename
from django.db import models, transaction
from django.http import HttpRequest, HttpResponse
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from .. import sources, track
from ..conf import conf
from ..connection import ConfigurationError
from ..insight.status import delivery_health
from ..models import Customer, State, Transaction
from ..outbox.control.deliver_now import DeliveredNow, deliver_now, lane_of

if TYPE_CHECKING:
    Base = admin.ModelAdmin
else:
    Base = object

logger = logging.getLogger(__name__)

#: For how many rows one click delivers, how many messages, and for how long it begins new ones.
ROWS, MESSAGES, SECONDS = 50, 200, 20

#: How many rows a text names.
TOLD = 3


class PushAction(Base):
    """The action for any model; a subclass says in which lane the messages of a row are."""

    # No HTTP inside a database transaction, also on a site with ATOMIC_REQUESTS.
    @transaction.non_atomic_requests
    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return super().changelist_view(request, extra_context)

    def lanes(self, request: HttpRequest, rows: list[Any]) -> dict[Any, str]:
        """The lane of each row that can be pushed; tells the user of the others."""
        raise NotImplementedError

    @admin.action(description=gettext_lazy("Push to PartnerStack"), permissions=["push"])
    def push_to_partnerstack(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> None:
        if not conf.push_enabled:
            text = _("PARTNERSTACK_PUSH_ENABLED is False: messages are queued and held, nothing is sent.")
            self.message_user(request, text, messages.ERROR)
            return
        over = max(queryset.count() - ROWS, 0)
        lanes = self.lanes(request, list(queryset[:ROWS]))
        try:
            pushed = deliver_now(set(lanes.values()), limit=MESSAGES, seconds=SECONDS)
        except ConfigurationError as error:
            self.message_user(request, str(error), messages.ERROR)
            return
        for level, text in told(pushed, lanes, over=over):
            self.message_user(request, text, level)


class PushToPartnerStackMixin(PushAction):
    """
    The action for the host's own admin of a model with a registered source:

        class AccountAdmin(PushToPartnerStackMixin, admin.ModelAdmin):
            ...

    An object that was never queued is queued first. An admin with ``actions`` of its own names
    ``"push_to_partnerstack"`` among them. Needs the permission to push customers, or transactions.
    """

    actions = ("push_to_partnerstack",)

    def has_push_permission(self, request: HttpRequest) -> bool:
        registered = sources.find(sources.customers, self.model) is not None
        opts = (Customer if registered else Transaction)._meta
        return request.user.has_perm(f"{opts.app_label}.{get_permission_codename('push', opts)}")

    def lanes(self, request: HttpRequest, rows: list[Any]) -> dict[Any, str]:
        found = {}
        for row in rows:
            try:
                track.report(row)
                found[row] = lane_of(row)
            except Exception as error:
                logger.exception("%s could not be queued for PartnerStack.", sources.label(row))
                text = _("{row} could not be queued: {error}").format(row=row, error=error)
                self.message_user(request, text, messages.ERROR)
        unreported = [row for row, lane in found.items() if not lane]
        if unreported:
            text = _("Not reported, as their source says: {rows}.").format(rows=names(unreported))
            self.message_user(request, text, messages.WARNING)
        return {row: lane for row, lane in found.items() if lane}


def told(pushed: DeliveredNow, lanes: dict[Any, str], *, over: int) -> Iterator[tuple[int, str]]:
    """What happened, as levels and sentences; ``over`` the bound were not tried."""
    counts = [f"{number} {State(state).label}" for state, number in sorted(pushed.by_state.items())]
    if pushed.remaining:
        counts.append(_("{left} left to the worker").format(left=pushed.remaining))
    if counts:
        yield _level(pushed), f"{', '.join(counts)}."
    idle = [row for row, lane in lanes.items() if lane in pushed.idle_lanes]
    if idle:
        yield messages.INFO, _("Nothing was waiting for {rows}.").format(rows=names(idle))
    health = delivery_health(conf.mode)
    if pushed.remaining and health.paused_until:
        until = date_format(localtime(health.paused_until), "TIME_FORMAT")
        text = _("Delivery is paused until {until}: {because}")
        because = conf.without_keys(health.pause_reason)
        yield messages.WARNING, text.format(until=until, because=because)
    if over:
        text = _("{over} not tried: at most {rows} rows at once.")
        yield messages.WARNING, text.format(over=over, rows=ROWS)


def names(rows: list[Any]) -> str:
    text = ", ".join(str(row) for row in rows[:TOLD])
    more = len(rows) - TOLD
    return _("{rows} and {more} more").format(rows=text, more=more) if more > 0 else text


def _level(pushed: DeliveredNow) -> int:
    if pushed.by_state[State.FAILED] or pushed.by_state[State.ON_HOLD]:
        return messages.ERROR
    return messages.WARNING if pushed.remaining else messages.SUCCESS
