"""Receiving a delivery: check the secret, and store the event by one INSERT."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Any

from django.db import router, transaction
from django.db.models import F
from django.utils.crypto import constant_time_compare

from .. import telemetry
from ..conf import conf
from ..models import WebhookCounter, WebhookEvent, WebhookState
from ..models.mirror import Mode
from .normalise import normalise, unwrapped

#: The longest body that is accepted. In bytes.
LARGEST_BODY = 256 * 1024

#: How many levels of objects and lists a body may have, and how many events.
DEEPEST, MOST_EVENTS = 64, 100

OTHER_MODE = "A test object. The site runs in production mode."


class Malformed(Exception):
    """The body is not JSON that can be a delivery. Nothing was stored."""


def is_secret(given: str) -> bool:
    """Whether it is one of ``PARTNERSTACK_WEBHOOK_SECRETS``. Takes equally long whichever it is."""
    return sum(constant_time_compare(given, secret) for secret in conf.usable_webhook_secrets) > 0


def receive(body: bytes, *, now: datetime) -> None:
    """
    Store the events of a body, or count them as received again. A single event costs one query.

    Raises ``Malformed``, and the errors of the database; then nothing is stored.
    """
    deliveries = _parsed(body)
    if len(deliveries) == 1:
        _store(deliveries[0], now)
        return
    with transaction.atomic(router.db_for_write(WebhookEvent)):
        for delivery in deliveries:
            _store(delivery, now)


def count_refused(reason: str, *, now: datetime) -> None:
    """Count a delivery that had a correct secret and was not stored."""
    rows = WebhookCounter.objects.using(router.db_for_write(WebhookCounter))
    row = rows.filter(mode=conf.mode, reason=reason)
    if not row.update(count=F("count") + 1, last_at=now):
        # Ignore conflicts: another process may create the row at the same time.
        new = WebhookCounter(mode=conf.mode, reason=reason, count=1, last_at=now)
        rows.bulk_create([new], ignore_conflicts=True)


def _store(delivery: dict[str, Any], now: datetime) -> None:
    event = normalise(delivery)
    mode = Mode.TEST.value if event.test else conf.mode
    is_ignored = mode != conf.mode
    # A body may contain the URL of an endpoint, and so a secret.
    text = conf.without_keys(json.dumps(delivery, sort_keys=True))
    WebhookEvent.objects.receive(
        {
            "mode": mode,
            "event": event.name,
            "event_received": event.received_name,
            "kind": event.kind,
            "key": conf.without_keys(event.key),
            "body": text,
            "digest": hashlib.sha256(text.encode()).hexdigest(),
            "state": (WebhookState.IGNORED if is_ignored else WebhookState.RECEIVED).value,
            "reason": OTHER_MODE if is_ignored else "",
        },
        again=not event.has_time,
        now=now,
    )
    telemetry.count_webhook("received", event.kind, mode)


def _parsed(body: bytes) -> list[dict[str, Any]]:
    try:
        value = json.loads(body, parse_constant=_refuse)
        if body.count(b"[") + body.count(b"{") > DEEPEST and _depth(value) > DEEPEST:
            raise Malformed
        deliveries = list(unwrapped(value))
    except (ValueError, RecursionError):
        raise Malformed from None
    if not 0 < len(deliveries) <= MOST_EVENTS:
        raise Malformed
    return deliveries


def _refuse(constant: str) -> Any:
    """For NaN and Infinity, which JSON does not have."""
    raise ValueError(constant)


def _depth(value: Any) -> int:
    """How deeply objects and lists are nested, but at most one level more than is allowed."""
    level, depth = [value], 0
    while level and depth <= DEEPEST:
        inner = [each for each in level if isinstance(each, (dict, list))]
        depth += bool(inner)
        level = [child for each in inner for child in (each.values() if isinstance(each, dict) else each)]
    return depth
