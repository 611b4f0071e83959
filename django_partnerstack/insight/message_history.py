"""What was sent about a customer, when, and what came back, in sentences."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime

from django.utils.timezone import localtime

from ..models import Attempt, AttemptKind, OutboxMessage, State
from ..outbox.operations import state_label

#: The most attempts that are read, and how many of each message are described: the last.
READ, DESCRIBED = 200, 3


def describe(messages: Sequence[OutboxMessage]) -> Iterator[str]:
    """A sentence for each message and each of its last attempts. Takes one query."""
    attempts: dict[int, list[Attempt]] = defaultdict(list)
    for attempt in Attempt.objects.filter(message__in=messages).order_by("-pk")[:READ]:
        attempts[attempt.message_id].insert(0, attempt)
    for message in messages:
        sentences = [_message(message), *map(_attempt, attempts[message.pk][-DESCRIBED:])]
        yield " ".join(sentences)


def _message(message: OutboxMessage) -> str:
    moment = f"queued {when(message.queued_at)}"
    if message.state == State.DELIVERED and message.finished_at:
        moment = f"delivered {when(message.finished_at)}"
    elif message.state != State.QUEUED:
        moment = f"{state_label(message)}, {moment}"
    attempts = f", after {message.attempts} attempts" if message.attempts > 1 else ""
    reason = f" {message.reason.strip().splitlines()[-1]}" if message.reason.strip() else ""
    return f"{message.operation} {message.subject}: {moment}{attempts}.{reason}"


def _attempt(attempt: Attempt) -> str:
    what = "Look-up" if attempt.kind == AttemptKind.LOOK_UP else "Attempt"
    request = f", {attempt.request_line}" if attempt.request_line else ""
    took = f" after {attempt.duration:,} ms" if attempt.duration is not None else ""
    answer = f"HTTP {attempt.status}{took}" if attempt.status else attempt.error or "no answer"
    outcome = attempt.get_outcome_display()
    return f"{what} {when(attempt.started_at)}{request}: {answer}; {outcome}."


def when(at: datetime) -> str:
    return f"on {localtime(at):%Y-%m-%d at %H:%M %Z}"
