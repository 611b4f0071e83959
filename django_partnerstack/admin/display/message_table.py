"""How outbox messages are shown: their state, and several messages in a table."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ...conf import conf
from ...models import OutboxMessage, WebhookEvent
from ...outbox.queue.new_message import customer_lane
from .columns import EMPTY, moment
from .links import admin_url


@admin.display(description=gettext_lazy("state"))
def badge(message: OutboxMessage | WebhookEvent) -> SafeString:
    text = '<span class="partnerstack-state partnerstack-{}">{}</span>'
    return format_html(text, message.state, message.get_state_display())


@admin.display(description=gettext_lazy("all messages"))
def lane_link(message: OutboxMessage) -> str:
    if not message.lane:
        return EMPTY
    text = _("Messages of {customer}").format(customer=message.lane.removeprefix(customer_lane("")))
    return list_link(text, mode=message.mode, lane=message.lane)


def list_link(text: Any, **which: str) -> SafeString:
    url = admin_url(OutboxMessage, "changelist")
    return format_html('<a href="{}?{}">{}</a>', url, urlencode(which), text)


def message_table(messages: Iterable[OutboxMessage], current: OutboxMessage | None = None) -> SafeString:
    """A row for each message with a link to its page. The ``current`` message is highlighted instead."""
    heads = (_("Message"), _("About"), _("State"), _("Attempts"), _("Queued"), _("Reason"))
    rows = format_html_join("", "{}", ((_row(message, current),) for message in messages))
    head = format_html_join("", '<th scope="col">{}</th>', ((text,) for text in heads))
    text = '<table class="partnerstack-messages"><thead><tr>{}</tr></thead><tbody>{}</tbody></table>'
    return format_html(text, head, rows) if rows else SafeString("")


def _row(message: OutboxMessage, current: OutboxMessage | None) -> SafeString:
    here = current is not None and message.pk == current.pk
    url = admin_url(OutboxMessage, "change", message.pk)
    name = message.operation if here else format_html('<a href="{}">{}</a>', url, message.operation)
    reason = Truncator(conf.without_keys(message.reason)).chars(60)
    short = (name, message.subject, badge(message), message.attempts, moment(message.queued_at))
    row = format_html_join("", '<td class="nowrap">{}</td>', ((cell,) for cell in short))
    row += format_html("<td>{}</td>", reason)
    return format_html('<tr class="{}">{}</tr>', "partnerstack-current" if here else "", row)
