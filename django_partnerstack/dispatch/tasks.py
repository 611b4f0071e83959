"""The same tasks for Django's own framework: the default backend in ``TASKS`` and its default queue."""

from __future__ import annotations

from ..connection import ConfigurationError
from . import jobs

try:
    from django.tasks import task
except ImportError as error:
    raise ConfigurationError('PARTNERSTACK_DISPATCH = "tasks" needs Django 6.0 or later.') from error


@task
def deliver() -> dict[str, int]:
    return jobs.deliver()


@task
def sweep() -> dict[str, int]:
    return jobs.sweep()


@task
def sync() -> None:
    jobs.sync_all()


@task
def full_sync() -> None:
    jobs.sync_all(full=True)


@task
def backfill() -> None:
    jobs.backfill_all()


@task
def webhooks() -> int:
    return jobs.process_webhooks()
