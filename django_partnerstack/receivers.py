"""Signal receivers: report saved objects of the site, and wake a worker for queued messages."""

from __future__ import annotations

import logging
from typing import Any

from django.db import models

from . import dispatch, sources, track
from .conf import conf
from .models.once import ends_transaction

logger = logging.getLogger(__name__)


def report_saved(
    sender: type[models.Model], instance: models.Model, created: bool, raw: bool, **kwargs: Any
) -> None:
    """
    Report a saved object of a registered model. An error is logged, so the host's save still succeeds.

    Does not report fixtures (``raw``). An error that ended the site's transaction, such as a deadlock, is
    raised into the save; with PARTNERSTACK_STRICT every error is.
    """
    if raw or not (sources.find(sources.customers, sender) or sources.find(sources.transactions, sender)):
        return
    try:
        track.report(instance, new=created)
    except Exception as error:
        # After an error that ended the site's transaction, "saved" would be wrong.
        if conf.strict or ends_transaction(error):
            raise
        logger.exception("%s could not be queued for PartnerStack.", sources.label(instance))


def wake_worker(lane: str, **kwargs: Any) -> None:
    """Wake a worker for a queued message, as PARTNERSTACK_DISPATCH says."""
    dispatch.wake(lane)
