"""Signal receivers: report saved objects, queue what waited for synced customers, and wake workers."""

from __future__ import annotations

import logging
from typing import Any

from django.db import models

from . import dispatch, sources, track
from .conf import conf
from .models import Customer
from .models.transaction_errors import ends_transaction
from .outbox.queue.lanes import queue_waiting
from .outbox.queue.source_failures import forget_after_commit, object_failed

logger = logging.getLogger(__name__)


def report_saved(
    sender: type[models.Model], instance: models.Model, created: bool, raw: bool, **kwargs: Any
) -> None:
    """
    Report a saved object of a registered model. The host's save succeeds whatever happens: an error is
    logged, and a ``SourceFailure`` is recorded until the object is reported.

    Does not report fixtures (``raw``). An error that ended the site's transaction, such as a deadlock, is
    raised into the save; with PARTNERSTACK_STRICT every error is.
    """
    if raw or not (sources.find(sources.customers, sender) or sources.find(sources.transactions, sender)):
        return
    try:
        track.report(instance, new=created)
        if not created:
            forget_after_commit(instance)
    except Exception as error:
        # After an error that ended the site's transaction, "saved" would be wrong.
        if conf.strict or ends_transaction(error):
            raise
        logger.exception("%s could not be queued for PartnerStack.", sources.label(instance))
        object_failed(instance, error)


def queue_waiting_messages(
    sender: type[models.Model], mode: str, created: list[str], updated: list[str], **kwargs: Any
) -> None:
    """Queue the messages that wait for a customer which a sync has found at PartnerStack."""
    if sender is Customer and (keys := [*created, *updated]):
        queue_waiting(mode, keys)


def wake_worker(lane: str, **kwargs: Any) -> None:
    """Wake a worker for a queued message, as PARTNERSTACK_DISPATCH says."""
    dispatch.wake(lane)
