"""The health in words, for a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.utils.formats import number_format
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ...models import State
from ..findings import Severity
from .figures import COUNTED, Health

#: States that say nothing about the present, as long as they are few or many.
QUIET = (State.CANCELLED, State.SKIPPED)


def summary(health: Health) -> Iterator[str]:
    """A headline, and some lines of figures."""
    yield headline(health)
    if not health.has_figures:
        return
    yield " ".join([messages(health), *_deliveries(health)])
    yield " ".join([workers(health), *_syncs(health), *_webhooks(health)])
    yield from _unset(health)
    share = health.sign_ups.attributed_share
    if share is not None:
        number = health.sign_ups.attributed + health.sign_ups.organic
        text = ngettext(
            "{share} % of {number} sign-up of the last 30 days is attributed to a partner.",
            "{share} % of {number} sign-ups of the last 30 days are attributed to a partner.",
            number,
        )
        yield text.format(share=round(share * 100), number=shown(number))


def headline(health: Health) -> str:
    """The mode, and whether anything needs attention, in one line."""
    words = {
        Severity.ERROR: _("not working"),
        Severity.WARN: _("needs attention"),
    }
    return f"PartnerStack ({health.mode}): {words.get(health.severity, _('working'))}."


def shown(number: int) -> str:
    """A figure; one that was counted up to ``COUNTED`` is followed by a plus."""
    text = number_format(number, force_grouping=True)
    return f"{text}+" if number >= COUNTED else text


def messages(health: Health) -> str:
    """How many messages there are, by state."""
    words = {state.name.lower(): state.label for state in State if state not in QUIET}
    counts = [
        f"{shown(number)} {words[word]}"
        for word, number in health.queue.by_state.items()
        if number and word in words
    ]
    return _("Messages: {counts}.").format(counts=", ".join(counts)) if counts else _("No messages yet.")


def _deliveries(health: Health) -> Iterator[str]:
    queue = health.queue
    if queue.delivered_last_day:
        text = _("Delivered in the last hour: {hour}, in the last day: {day}.")
        yield text.format(hour=shown(queue.delivered_last_hour), day=shown(queue.delivered_last_day))


def workers(health: Health) -> str:
    """How many workers run, or when one was last seen."""
    running, seen_at = health.workers.running, health.workers.seen_at
    if running:
        text = ngettext("{number} worker runs.", "{number} workers run.", running)
        return text.format(number=running)
    if seen_at is None:
        return _("No worker was ever seen.")
    return _("No worker runs; the last was seen {ago} ago.").format(ago=ago(seen_at, health))


def _unset(health: Health) -> Iterator[str]:
    """Why nothing could be sent, while there is nothing to send: then it is no finding."""
    connection = health.connection
    if not connection.has_keys and not health.find("keys-missing"):
        yield _("No API keys are set yet.")
    if not connection.push_enabled and not health.find("delivery-disabled"):
        yield _("PARTNERSTACK_PUSH_ENABLED is False.")


def _syncs(health: Health) -> Iterator[str]:
    completed = [sync.completed_at for sync in health.syncs if sync.completed_at]
    if completed:
        yield _("Last sync: {ago} ago.").format(ago=ago(max(completed), health))


def _webhooks(health: Health) -> Iterator[str]:
    at = health.webhooks.last_received_at
    if at is not None:
        yield _("Last webhook: {ago} ago.").format(ago=ago(at, health))


def ago(at: datetime, health: Health) -> str:
    if (health.at - at).total_seconds() < 60:
        return _("less than a minute")
    return timesince(at, health.at, depth=1).replace("\xa0", " ")
