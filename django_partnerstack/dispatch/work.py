"""The work that tasks do, whoever runs them. Each part is safe to repeat and to run several times at once."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from threading import Event

from django.utils import timezone

from .. import sync
from ..conf import conf
from ..connection import get_client
from ..outbox.backfill import backfill as find_missing
from ..outbox.backfill import reported_models
from ..outbox.delivery.loop import site_delivery
from ..outbox.queue.claim import is_anything_due
from ..outbox.queue.retention import prune
from ..resources import RESOURCES

#: No request begins after so many seconds, so that a task ends soon.
SECONDS = 25.0


def deliver(
    *,
    seconds: float = SECONDS,
    lanes: Collection[str] | None = None,
    threads: int = 4,
    stopping: Event | None = None,
) -> dict[str, int]:
    """
    Send what is due, and say how many messages came to what.

    Of many wake-ups, the first sends everything; each of the others finds nothing, at the price of one query.
    ``lanes``: these alone. ``stopping``: begin nothing more once it is set.

    Raises ConfigurationError if a setting cannot be used.
    """
    if not (conf.push_enabled and conf.has_keys and is_anything_due(conf.mode)):
        return {}
    worker = site_delivery(threads=threads, stopping=stopping)
    return dict(worker.run(lanes=lanes, seconds=seconds))


def sweep() -> dict[str, int]:
    """Send what is due, such as what is to be tried again, and forget what was delivered long ago."""
    counts = deliver(seconds=2 * SECONDS)
    prune(conf.mode, timezone.now() - timedelta(days=conf.retention_days))
    return counts


def pull() -> None:
    """Bring all mirrors up to date. Raises the last error if PartnerStack did not give everything."""
    error = None
    with get_client() as client:
        resources = list(RESOURCES)
        for pulled in sync.pull_all(resources, on_page=lambda page: None, client=client, mode=conf.mode):
            error = pulled.error or error
    if error is not None:
        raise error


def backfill() -> None:
    """Queue the site's objects that no signal told of, such as those that were written in bulk."""
    for model in reported_models():
        find_missing(model, mode=conf.mode, on_page=lambda done: None)
