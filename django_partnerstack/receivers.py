"""What this app does when the host's objects are saved, and when a message is queued."""

from __future__ import annotations

import logging
from typing import Any

from django.db import models

from . import dispatch, sources, track
from .conf import conf

logger = logging.getLogger(__name__)


def report_saved(
    sender: type[models.Model], instance: models.Model, created: bool, raw: bool, **kwargs: Any
) -> None:
    """
    Queue a message when an object of a registered model is saved; the host's save goes on whatever happens.

    Fixtures (``raw``) are not reported. With PARTNERSTACK_STRICT an error is raised into the save.
    """
    if raw or not (sources.find(sources.customers, sender) or sources.find(sources.transactions, sender)):
        return
    try:
        track.report(instance, new=created)
    except Exception:
        if conf.strict:
            raise
        logger.exception("%s could not be queued for PartnerStack.", sources.label(instance))


def wake_worker(lane: str, **kwargs: Any) -> None:
    """Tell a worker, if the site wants that, of a message that was queued."""
    dispatch.wake(lane)
