"""How outbox messages are shown: their state, and several messages in a table."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.utils.dateparse import parse_datetime
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ...conf import conf
from ...models import OutboxMessage, WebhookEvent
from ...outbox.operations import TO_BE_CONFIRMED, state_label
from ...outbox.queue.new_message import customer_lane
from .columns import EMPTY, in_major_units, moment, moment_with_zone
from .links import admin_url

#: The fields of a content that are shown in words, in this order.
WORDS: dict[str, Any] = {
    "amount": gettext_lazy("Amount"),
    "key": gettext_lazy("Reported under the key"),
    "email": gettext_lazy("E-mail address"),
    "name": gettext_lazy("Name"),
    "customer_key": gettext_lazy("Customer key"),
    "customer_external_key": gettext_lazy("Customer key"),
    "partner_key": gettext_lazy("Partner"),
    "xid": gettext_lazy("Click"),
    "type": gettext_lazy("Event"),
    "target_key": gettext_lazy("Customer key"),
    "created_at": gettext_lazy("Date"),
}


@admin.display(description=gettext_lazy("state"))
def badge(message: OutboxMessage | WebhookEvent) -> SafeString:
    text = '<span class="partnerstack-state partnerstack-{}">{}</span>'
    if isinstance(message, WebhookEvent):
        return format_html(text, message.state, message.get_state_display())
    label = state_label(message)
    return format_html(text, "confirming" if label is TO_BE_CONFIRMED else message.state, label)


@admin.display(description=gettext_lazy("all messages"))
def lane_link(message: OutboxMessage) -> str:
    if not message.lane:
        return EMPTY
    text = _("Messages of {customer}").format(customer=message.lane.removeprefix(customer_lane("")))
    return list_link(text, mode=message.mode, lane=message.lane)


@admin.display(description=gettext_lazy("in words"))
def in_words(message: OutboxMessage) -> SafeString:
    """The fields that people look for, with amounts in major units."""
    content = message.content if isinstance(message.payload, dict) else {}
    shown = {name: text for name in WORDS if (text := content.get(name)) and isinstance(text, str)}
    if "created_at" in shown and (when := parse_datetime(shown["created_at"])):
        shown["created_at"] = moment_with_zone(when)
    if isinstance(amount := content.get("amount"), int):
        shown["amount"] = in_major_units(amount, content.get("currency", ""))
    rows = ((WORDS[name], conf.without_keys(shown[name])) for name in WORDS if name in shown)
    lines = format_html_join("", '<tr><th scope="row">{}</th><td>{}</td></tr>', rows)
    return format_html('<table class="partnerstack-words">{}</table>', lines) if lines else SafeString(EMPTY)


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
