"""Tasks of Django's own framework, for the default backend in ``TASKS`` and its default queue."""

from __future__ import annotations

from ..connection import ConfigurationError
from . import jobs

try:
    from django.tasks import task
except ImportError as error:
    raise ConfigurationError('PARTNERSTACK_DISPATCH = "tasks" needs Django 6.0 or later.') from error


@task
def deliver() -> dict[str, int]:
    """Send what is due. A wake-up runs this."""
    return jobs.deliver()


@task
def sweep() -> dict[str, int]:
    """Send what is due, and delete old delivered messages. Schedule it every minute."""
    return jobs.sweep()


@task
def sync() -> None:
    """Sync all mirrors. Schedule it every few minutes."""
    jobs.sync_all()


@task
def backfill() -> None:
    """Queue what no signal reported, such as objects written in bulk. Schedule it every night."""
    jobs.backfill_all()
