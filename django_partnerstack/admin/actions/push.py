"""The action "Push to PartnerStack": delivers the queued messages of the selected rows now, within limits."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

from django.contrib import admin, messages
from django.contrib.auth import get_permission_codename
from django.db import models
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ... import sources, track
from ...conf import conf
from ...connection import ConfigurationError
from ...insight.status import health, obstacle
from ...models import Customer, State, Transaction
from ...outbox.control.deliver_now import DeliveredNow, deliver_now, lane_of
from ...outbox.queue.source_failures import object_failed, object_reported
from .selection import Message, NonAtomicActions, left_out, limited, names

logger = logging.getLogger(__name__)

#: Limits of a click: rows, messages, and seconds in which requests may begin.
ROWS, MESSAGES, SECONDS = 50, 200, 20


class PushAction(NonAtomicActions):
    """The action for any model. A subclass finds the lanes of the rows."""

    def lanes(self, request: HttpRequest, rows: list[Any]) -> dict[Any, str]:
        """The lane of each row that can be pushed. Shows the user why the others cannot."""
        raise NotImplementedError

    @admin.action(description=gettext_lazy("Push to PartnerStack"), permissions=["push"])
    def push_to_partnerstack(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> None:
        if not conf.push_enabled:
            text = _("PARTNERSTACK_PUSH_ENABLED is False: messages are queued, and nothing is sent.")
            self.message_user(request, text, messages.ERROR)
            return
        rows, over = limited(queryset, ROWS)
        lanes = self.lanes(request, rows)
        try:
            delivered = deliver_now(set(lanes.values()), limit=MESSAGES, seconds=SECONDS)
        except ConfigurationError as error:
            self.message_user(request, str(error), messages.ERROR)
            return
        for level, text in (*summary(delivered, lanes), *left_out(over=over, limit=ROWS)):
            self.message_user(request, text, level)


class PushToPartnerStackMixin(PushAction):
    """
    The action for the host's own admin of a model with a registered source:

        class AccountAdmin(PushToPartnerStackMixin, admin.ModelAdmin):
            ...

    An object that was never queued is queued first. An admin class with ``actions`` of its own must list
    ``"push_to_partnerstack"`` in them. The user needs the permission ``push_customer`` or
    ``push_transaction`` of this app.
    """

    actions = ("push_to_partnerstack",)

    def has_push_permission(self, request: HttpRequest) -> bool:
        is_customer = sources.find(sources.customers, self.model) is not None
        opts = (Customer if is_customer else Transaction)._meta
        return request.user.has_perm(f"{opts.app_label}.{get_permission_codename('push', opts)}")

    def lanes(self, request: HttpRequest, rows: list[Any]) -> dict[Any, str]:
        lanes = {}
        for row in rows:
            try:
                track.report(row)
                object_reported(row)
                lanes[row] = lane_of(row)
            except Exception as error:
                logger.exception("%s could not be queued for PartnerStack.", sources.label(row))
                object_failed(row, error)
                text = _("{row} could not be queued: {error}").format(row=row, error=error)
                self.message_user(request, text, messages.ERROR)
        skipped = [row for row, lane in lanes.items() if not lane]
        if skipped:
            text = _("Not reported, because the source skips them: {rows}.").format(rows=names(skipped))
            self.message_user(request, text, messages.WARNING)
        return {row: lane for row, lane in lanes.items() if lane}


def summary(delivered: DeliveredNow, lanes: dict[Any, str]) -> Iterator[Message]:
    counts = [
        f"{number} {State(state).label}"
        for state, number in sorted(delivered.by_state.items())
        if state != State.ORGANIC  # The reason is said below.
    ]
    if delivered.remaining:
        counts.append(_("{number} left to the worker").format(number=delivered.remaining))
    if counts:
        yield _level(delivered), f"{', '.join(counts)}."
    organic = [row for row, lane in lanes.items() if lane in delivered.organic_lanes]
    if organic:
        text = _("Not reported, because the customer is organic (no partner): {rows}.")
        yield messages.WARNING, text.format(rows=names(organic))
    idle = [row for row, lane in lanes.items() if lane in delivered.idle_lanes - delivered.organic_lanes]
    if idle:
        yield messages.INFO, _("Nothing to send for {rows}.").format(rows=names(idle))
    if delivered.remaining and (why := obstacle(health())):
        yield messages.WARNING, f"{why.sentence} {why.advice}"


def _level(delivered: DeliveredNow) -> int:
    if delivered.by_state[State.FAILED] or delivered.by_state[State.ON_HOLD]:
        return messages.ERROR
    return messages.WARNING if delivered.remaining else messages.SUCCESS
