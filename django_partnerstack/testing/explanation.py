"""What was queued in a test, and why it has not left: the text below a failure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from django_partnerstack import sources
from django_partnerstack.conf import conf
from django_partnerstack.insight.message_history import describe
from django_partnerstack.models import (
    OutboxMessage,
    SourceFailure,
    State,
    ThrottleState,
    WebhookEvent,
    WebhookState,
)

#: How many messages are described: the first.
MESSAGES = 20

NOTHING_QUEUED = (
    "No message is queued. Saving an object with a source queues one, as do track.signup and the other "
    "verbs. This site has sources for {}."
)
NOT_DELIVERED = "Nothing has delivered it yet: call partnerstack.deliver()."
DUE_LATER = "It is due in {:.0f} s: partnerstack.deliver(minutes={}) delivers what becomes due until then."


def explain(mode: str, now: datetime) -> list[str]:
    """A line for each message, and one for each reason why something is not queued or sent. Four queries."""
    lines = [*_messages(mode, now), *_failures(mode), *_pause(mode, now), *_webhooks(mode)]
    return [conf.without_keys(line) for line in lines]


def _messages(mode: str, now: datetime) -> Iterator[str]:
    messages = list(OutboxMessage.objects.filter(mode=mode).order_by("pk")[: MESSAGES + 1])
    if not messages:
        models = {model._meta.label for model in (*sources.customers, *sources.transactions)}
        yield NOTHING_QUEUED.format(", ".join(sorted(models)) or "no model")
    for message, sentence in zip(messages[:MESSAGES], describe(messages[:MESSAGES]), strict=False):
        yield f"{sentence} {_what_next(message, now)}".rstrip()
    if len(messages) > MESSAGES:
        yield f"There are more than {MESSAGES} messages; these are the first."


def _what_next(message: OutboxMessage, now: datetime) -> str:
    if message.state == State.QUEUED:
        return NOT_DELIVERED
    if message.state in (State.SCHEDULED, State.UNCONFIRMED) and message.next_try_at is not None:
        left = max(message.next_try_at - now, timedelta())
        return DUE_LATER.format(left.total_seconds(), left // timedelta(minutes=1) + 1)
    return ""


def _failures(mode: str) -> Iterator[str]:
    for failure in SourceFailure.objects.filter(mode=mode).order_by("pk")[:MESSAGES]:
        yield f"An object of {failure.source} could not be reported: {failure.error}"


def _pause(mode: str, now: datetime) -> Iterator[str]:
    row = ThrottleState.objects.filter(mode=mode).first()
    if row is not None and row.paused_until is not None and row.paused_until > now:
        left = (row.paused_until - now).total_seconds()
        yield f"Delivery is paused for {left:.0f} s. {row.pause_reason}"


def _webhooks(mode: str) -> Iterator[str]:
    open_or_failed = (WebhookState.RECEIVED, WebhookState.FAILED)
    for event in WebhookEvent.objects.filter(mode=mode, state__in=open_or_failed).order_by("pk")[:MESSAGES]:
        yield f"The webhook {event.event} about {event.key} is {event.get_state_display()}: {event.reason}"
