from __future__ import annotations

from datetime import datetime, timedelta

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .mirror import Mode

#: How often a worker records that it runs.
BEAT = timedelta(seconds=20)
#: A worker that was not seen for this long is killed, frozen, or cannot reach the database.
ALIVE = timedelta(seconds=75)
#: The job that syncs the mirrors.
SYNC = "sync"
#: Rows of workers that were not seen for this long are removed.
REMOVED_AFTER = timedelta(days=7)


class WorkerQuerySet(models.QuerySet["Worker"]):
    def alive(self, now: datetime) -> WorkerQuerySet:
        """The workers that run, as far as the database knows."""
        return self.filter(stopped_at=None, seen_at__gt=now - ALIVE)


class Worker(models.Model):
    """A process of ``partnerstack_worker``: who it is, when it was last seen, and what it does."""

    mode = models.CharField(_("mode"), max_length=10, choices=Mode.choices)
    host = models.CharField(_("host"), max_length=255, default="")
    pid = models.PositiveBigIntegerField(_("process ID"), default=0)
    version = models.CharField(_("version"), max_length=32, default="")
    #: By the database's clock, as are the times below, because the clocks of machines differ.
    started_at = models.DateTimeField(_("started"), default=timezone.now)
    seen_at = models.DateTimeField(_("last seen"), default=timezone.now, db_index=True)
    #: NULL while it runs, and after it was killed.
    stopped_at = models.DateTimeField(_("stopped"), null=True)
    #: What each job does, in a few words, by the name of the job.
    jobs = models.JSONField(_("jobs"), default=dict)

    objects = WorkerQuerySet.as_manager()

    class Meta:
        default_permissions = ("add", "change", "delete", "view", "export")
        verbose_name = _("worker")
        verbose_name_plural = _("workers")

    def __str__(self) -> str:
        return f"{self.host}:{self.pid}"
