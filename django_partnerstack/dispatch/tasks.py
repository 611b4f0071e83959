"""Tasks of Django's own framework, for the default backend in ``TASKS`` and its default queue."""

from __future__ import annotations

from ..connection import ConfigurationError
from . import work

try:
    from django.tasks import task
except ImportError as error:
    raise ConfigurationError('PARTNERSTACK_DISPATCH = "tasks" needs Django 6.0.') from error


@task
def deliver() -> dict[str, int]:
    """Send what is due. This is what a wake-up runs."""
    return work.deliver()


@task
def sweep() -> dict[str, int]:
    """Send what is due, and forget what was delivered long ago. For a schedule: every minute."""
    return work.sweep()


@task
def sync() -> None:
    """Bring all mirrors up to date. For a schedule: every few minutes."""
    work.pull()


@task
def backfill() -> None:
    """Queue what no signal told of, such as what was written in bulk. For a schedule: every night."""
    work.backfill()
