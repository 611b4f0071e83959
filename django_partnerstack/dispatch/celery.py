"""
Celery tasks. Their names do not change, so that a schedule may use them.

With ``PARTNERSTACK_DISPATCH = "celery"`` they are registered with the site's Celery app. What each does is in
``jobs``, and a schedule for them in the README.
"""

from __future__ import annotations

from ..connection import ConfigurationError
from . import jobs

try:
    from celery import shared_task
except ImportError as error:
    raise ConfigurationError(
        'PARTNERSTACK_DISPATCH = "celery" needs Celery. Run: pip install "django-partnerstack[celery]"'
    ) from error


@shared_task(name="partnerstack.deliver", ignore_result=True)
def deliver() -> dict[str, int]:
    return jobs.deliver()


@shared_task(name="partnerstack.sweep", ignore_result=True)
def sweep() -> dict[str, int]:
    return jobs.sweep()


@shared_task(name="partnerstack.sync", ignore_result=True)
def sync() -> None:
    jobs.sync_all()


@shared_task(name="partnerstack.full_sync", ignore_result=True)
def full_sync() -> None:
    jobs.sync_all(full=True)


@shared_task(name="partnerstack.webhooks", ignore_result=True)
def webhooks() -> int:
    return jobs.process_webhooks()


@shared_task(name="partnerstack.backfill", ignore_result=True)
def backfill() -> None:
    jobs.backfill_all()
