"""How the page of a message shows its attempts: a timeline with requests, answers and outcomes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime

from django.contrib import admin
from django.utils.formats import number_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from ...conf import conf
from ...models import Attempt, AttemptKind, OutboxMessage
from .columns import moment, pretty

#: How many attempts a page shows: the last.
SHOWN = 50

#: The times of a message that are no attempts. The others are shown only if its attempts are pruned.
MOMENTS = ("queued_at", "finished_at", "next_try_at")
SENT = ("first_sent_at", "sent_at", "in_doubt_since")

Event = tuple[datetime, SafeString]


@admin.display(description=gettext_lazy("when"))
def timeline(message: OutboxMessage) -> SafeString:
    """Past and planned events, in the order of time. Takes one query."""
    attempts = list(Attempt.objects.filter(message=message).order_by("-pk")[: SHOWN + 1])
    names = MOMENTS if attempts else (*MOMENTS, *SENT)
    events = [*_moments(message, names), *(_event(attempt) for attempt in reversed(attempts[:SHOWN]))]
    heads = (_("Time"), _("Event"), _("Outcome"), _("Request"), _("Answer"))
    head = format_html_join("", '<th scope="col">{}</th>', ((text,) for text in heads))
    body = format_html_join("", "{}", ((row,) for _when, row in sorted(events, key=lambda event: event[0])))
    text = '<table class="partnerstack-timeline"><thead><tr>{}</tr></thead><tbody>{}</tbody></table>'
    table = format_html(text, head, body)
    return format_html("{}{}", table, _cut() if len(attempts) > SHOWN else "")


def _cut() -> SafeString:
    text = _("These are the last {shown} attempts.").format(shown=SHOWN)
    return format_html('<p class="help">{}</p>', text)


def _moments(message: OutboxMessage, names: tuple[str, ...]) -> Iterator[Event]:
    for name in names:
        if when := getattr(message, name):
            text = capfirst(message._meta.get_field(name).verbose_name)  # type: ignore[union-attr]
            yield when, _row(when, str(text), "", "", "")


def _event(attempt: Attempt) -> Event:
    text = '<span class="partnerstack-state partnerstack-attempt-{}">{}</span>'
    outcome = format_html(text, attempt.outcome, attempt.get_outcome_display())
    cells = (_what(attempt), outcome, _request(attempt), _answer(attempt))
    return attempt.started_at, _row(attempt.started_at, *cells)


def _row(when: datetime, *cells: str) -> SafeString:
    rest = format_html_join("", "<td>{}</td>", ((cell,) for cell in cells))
    return format_html('<tr><th scope="row">{}</th>{}</tr>', moment(when), rest)


def _what(attempt: Attempt) -> str:
    if attempt.kind == AttemptKind.LOOK_UP:
        return _("Look-up")
    return _("Attempt {number}").format(number=attempt.number)


def _request(attempt: Attempt) -> SafeString:
    more = ""
    if attempt.requests > 1:
        text = ngettext("{number} request", "{number} requests", attempt.requests)
        more = format_html('<div class="help">{}</div>', text.format(number=attempt.requests))
    return format_html("<code>{}</code>{}", conf.without_keys(attempt.request_line), more)


def _answer(attempt: Attempt) -> SafeString:
    """The status and the duration, and what is folded below them: the body, or why there is none."""
    head = _head(attempt)
    error = conf.without_keys(attempt.error)
    if not attempt.answer:
        return format_html("<div>{}</div><div>{}</div>", head, error)
    try:
        body = pretty(json.loads(attempt.answer))
    except ValueError:
        body = format_html('<pre class="partnerstack-raw">{}</pre>', conf.without_keys(attempt.answer))
    return format_html("<details><summary>{}</summary>{}</details>", head, body)


def _head(attempt: Attempt) -> str:
    if attempt.duration is None or not attempt.requests:
        return ""
    took = _("{number} ms").format(number=attempt.duration)
    if attempt.duration >= 1000:
        took = _("{number} s").format(number=number_format(attempt.duration / 1000, 1))
    text = _("No answer after {time}") if attempt.status is None else _("{status} after {time}")
    return text.format(status=attempt.status, time=took)
