"""What the tasks do, whatever runs them. Each is safe to repeat and to run several times at once."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from threading import Event

from django.utils import timezone

from .. import sync
from ..conf import conf
from ..connection import get_client
from ..outbox.backfill import backfill
from ..outbox.push import worker
from ..outbox.queue.claim import is_anything_due
from ..outbox.queue.retention import prune
from ..outbox.queue.sequencing.waiting import queue_waiting
from ..outbox.site_objects import reported_models
from ..privacy.retention import prune_clicks
from ..resources import RESOURCES
from ..throttle.throttle import site_throttle
from ..webhooks.process import process_events

#: No request begins after this many seconds, so that a task ends soon.
SECONDS = 25.0


def deliver(
    *,
    seconds: float = SECONDS,
    lanes: Collection[str] | None = None,
    threads: int = 4,
    stopping: Event | None = None,
) -> dict[str, int]:
    """
    Send what is due. Returns the number of attempts by new state.

    Of many wake-ups, the first sends everything; the others cost one query each. ``lanes``: only these.
    ``stopping``: start nothing more once it is set.

    Raises ConfigurationError if a setting cannot be used.
    """
    if not (conf.push_enabled and conf.has_keys and is_anything_due(conf.mode)):
        return {}
    loop = worker(threads=threads, stopping=stopping)
    return dict(loop.run(lanes=lanes, seconds=seconds))


def sweep() -> dict[str, int]:
    """
    Send what is due, retries and what waited for known customers included, and delete old delivered messages.

    Returns as ``deliver``.
    """
    queue_waiting(conf.mode)
    counts = deliver(seconds=2 * SECONDS)
    prune(conf.mode, timezone.now() - timedelta(days=conf.retention_days))
    prune_clicks(conf.mode, timezone.now())
    return counts


def sync_all(*, full: bool = False) -> None:
    """
    Sync all mirrors. Raises the last error if PartnerStack did not return everything.

    ``full``: read everything, and mark what PartnerStack no longer has as missing.
    """
    error = None
    with get_client() as client:
        resources = list(RESOURCES)
        for pulled in sync.pull_all(
            resources, on_page=lambda page: None, client=client, mode=conf.mode, full=full
        ):
            error = pulled.error or error
    if error is not None:
        raise error


def process_webhooks(*, stopping: Event | None = None) -> int:
    """
    Process the webhook events that are due, as the worker does. Returns how many ended.

    ``stopping``: start nothing more once it is set.
    """
    stop, throttle = stopping or Event(), site_throttle(conf.mode)
    until, number = timezone.now() + timedelta(seconds=SECONDS), 0
    if not conf.has_keys:
        return 0
    with get_client() as client:
        while timezone.now() < until and not stop.is_set():
            ended = process_events(
                conf.mode,
                client=client,
                clock=throttle.clock,
                acquire_slot=lambda: throttle.acquire_slot(stop.wait),
                stop=stop,
            )
            number += ended
            if not ended:
                break
    return number


def backfill_all() -> None:
    """Queue the site's objects that no signal reported, such as objects written in bulk."""
    for model in reported_models():
        backfill(model, mode=conf.mode, on_page=lambda done: None)
