"""A message before it is queued, and its columns."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from django.utils import timezone

from ... import telemetry
from ...identity.references import NO_OBJECT, Reference
from ...models import OutboxMessage, State
from ..operations import OPERATIONS


@dataclass(frozen=True, kw_only=True)
class NewMessage:
    """
    A message before it is queued.

    ``lane``: messages of one lane are sent in order; see ``customer_lane``. ``subject``: the key of what it
    is about. ``source`` and ``customer_source``: the host's objects.
    """

    operation: str
    lane: str
    subject: str
    payload: dict[str, Any]
    source: Reference = NO_OBJECT
    customer_source: Reference = NO_OBJECT
    #: What was changed so that PartnerStack takes it, for operators.
    note: str = ""
    #: Why the object is not reported. The message is then only a note.
    skipped: str = ""

    @cached_property
    def fingerprint(self) -> str:
        return fingerprint(self.payload)

    @property
    def dedupe_key(self) -> str:
        """Only one message with this key is ever queued; "": no limit. A note is queued once per reason."""
        if self.skipped:
            return ":".join(("skipped", *filter(None, self.source), self.skipped))[:300]
        operation = OPERATIONS.get(self.operation)
        return operation.dedupe_key(self.payload) if operation else ""


#: The prefix of the lanes of customers.
CUSTOMER = "customer:"


def customer_lane(customer_key: str) -> str:
    return f"{CUSTOMER}{customer_key}"


def fingerprint(payload: dict[str, Any]) -> str:
    """A hash of the content. It does not depend on the order of names or on the database that returns it."""
    # PostgreSQL returns 1e16 as a whole number and -0.0 without its sign.
    same = json.loads(json.dumps(payload), parse_int=float, parse_float=lambda digits: float(digits) + 0.0)
    return hashlib.sha256(json.dumps(same, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def unsaved(message: NewMessage, mode: str, now: datetime) -> OutboxMessage:
    return OutboxMessage(**columns_of(message, mode, now))


def columns_of(message: NewMessage, mode: str, now: datetime | None = None) -> dict[str, Any]:
    """The columns of the message when it is queued."""
    now = now or timezone.now()
    source, customer = message.source, message.customer_source
    return {
        "mode": mode,
        "lane": message.lane,
        "operation": message.operation,
        "subject": message.subject,
        "payload": message.payload,
        "attributed_to": {},
        "fingerprint": message.fingerprint,
        "dedupe_key": message.dedupe_key or None,
        "note": message.note,
        "traceparent": telemetry.traceparent(),
        "priority": 1,
        "source": source.label,
        "source_pk": source.pk,
        "namespace": source.namespace,
        "customer_source": customer.label,
        "customer_source_pk": customer.pk,
        "state": State.SKIPPED if message.skipped else State.QUEUED,
        "attempts": 0,
        "lease_token": "",
        "queued_at": now,
        "finished_at": now if message.skipped else None,
        "reason": message.skipped,
    }
