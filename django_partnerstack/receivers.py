"""Signal receivers: report saved objects, queue what waited for synced customers, and wake workers."""

from __future__ import annotations

import logging
from typing import Any

from django.apps import apps
from django.db import models
from django.db.models.signals import post_delete

from . import dispatch, privacy, sources, track
from .conf import conf
from .models import Customer
from .models.database_errors import ends_transaction
from .outbox.queue.sequencing.waiting import queue_waiting
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


def follow_deletions(setting: str = "PARTNERSTACK_ON_DELETE", **kwargs: Any) -> None:
    """
    Listen to the deletion of the models with a source of customers, if PARTNERSTACK_ON_DELETE asks for it.

    To no others: Django deletes faster the objects that nobody listens to.
    """
    if setting != "PARTNERSTACK_ON_DELETE":
        return
    for model in apps.get_models():
        if sources.find(sources.customers, model) is not None:
            uid = f"partnerstack.forget_deleted.{model._meta.label}"
            post_delete.disconnect(dispatch_uid=uid, sender=model)
            if conf.on_delete != "keep":
                post_delete.connect(forget_deleted, dispatch_uid=uid, sender=model)


def forget_deleted(sender: type[models.Model], instance: models.Model, **kwargs: Any) -> None:
    """
    Archive or forget the customer of a deleted object, in the same transaction.

    Errors are raised into the deletion: otherwise the object would be gone and its data would stay.
    """
    if conf.on_delete == "forget":
        track.forget(instance)
    elif conf.on_delete == "archive":
        privacy.archive_object(instance)


def queue_waiting_messages(
    sender: type[models.Model], mode: str, created: list[str], updated: list[str], **kwargs: Any
) -> None:
    """Queue the messages that wait for a customer which a sync has found at PartnerStack."""
    if sender is Customer and (keys := [*created, *updated]):
        queue_waiting(mode, keys)


def wake_worker(lane: str, **kwargs: Any) -> None:
    """Wake a worker for a queued message, as PARTNERSTACK_DISPATCH says."""
    dispatch.wake(lane)
