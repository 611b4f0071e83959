"""
Celery tasks. Their names do not change, so that a schedule may name them.

With ``PARTNERSTACK_DISPATCH = "celery"`` the workers of the site's Celery app know them.
"""

from __future__ import annotations

from ..connection import ConfigurationError
from . import work

try:
    from celery import shared_task
except ImportError as error:
    raise ConfigurationError(
        'PARTNERSTACK_DISPATCH = "celery" needs Celery. Run: pip install "django-partnerstack[celery]"'
    ) from error


@shared_task(name="partnerstack.deliver", ignore_result=True)
def deliver() -> dict[str, int]:
    """Send what is due. This is what a wake-up runs."""
    return work.deliver()


@shared_task(name="partnerstack.sweep", ignore_result=True)
def sweep() -> dict[str, int]:
    """Send what is due, and forget what was delivered long ago. For a schedule: every minute."""
    return work.sweep()


@shared_task(name="partnerstack.sync", ignore_result=True)
def sync() -> None:
    """Bring all mirrors up to date. For a schedule: every few minutes."""
    work.pull()


@shared_task(name="partnerstack.backfill", ignore_result=True)
def backfill() -> None:
    """Queue what no signal told of, such as what was written in bulk. For a schedule: every night."""
    work.backfill()
