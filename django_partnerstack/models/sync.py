"""The state of each sync, and the results of comparing what was synced with the site's own objects."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from .fields import KeyField
from .mirror import Mode

#: How long mode evidence is not recorded again.
EVIDENCE_INTERVAL = timedelta(hours=1)


class SyncStateQuerySet(models.QuerySet["SyncState"]):
    def record_mode_evidence(self, mode: str, resource: str, *, test: bool, now: datetime) -> None:
        """
        Record that PartnerStack returned an object whose ``test`` flag is ``test``, unless that is recent.

        Writes no other column, because a sync may be writing them, and sends no signals. Safe to repeat.
        """
        column = SyncState.SEEN_AT[test]
        state = self.filter(mode=mode, resource=resource)
        if state.filter(**{f"{column}__gt": now - EVIDENCE_INTERVAL}).exists():
            return
        # Ignore conflicts: another process may create the row at the same time.
        if not state.update(**{column: now}):
            self.bulk_create(
                [self.model(mode=mode, resource=resource, **{column: now})], ignore_conflicts=True
            )

    def mode_mismatch(self, mode: str) -> Mode | None:
        """
        The other mode, if the newest data that PartnerStack returned are of it; otherwise None.

        The key pairs of both modes look alike: only the ``test`` flag of returned objects distinguishes them
        (docs.partnerstack.com/docs/authentication). None also without any evidence.
        """
        seen = self.filter(mode=mode).aggregate(
            test=models.Max(SyncState.SEEN_AT[True]), production=models.Max(SyncState.SEEN_AT[False])
        )
        return mismatch(mode, **seen)


def mismatch(mode: str, *, test: datetime | None, production: datetime | None) -> Mode | None:
    """As ``mode_mismatch``, by when data of each mode were last seen in the rows of ``mode``."""
    own, other = (test, production) if mode == Mode.TEST else (production, test)
    # Evidence may be recorded late, so about the same time proves nothing.
    if other is None or (own is not None and other - own <= EVIDENCE_INTERVAL):
        return None
    return Mode.PRODUCTION if mode == Mode.TEST else Mode.TEST


class SyncState(models.Model):
    """How far the sync of one resource in one mode has come, and which run has the lease."""

    mode = models.CharField(_("mode"), max_length=10, choices=Mode.choices)
    resource = models.CharField(_("resource"), max_length=32)
    #: The mirror is complete up to this time: the newest change that a complete sync has seen, by
    #: PartnerStack's clock.
    watermark = models.DateTimeField(_("newest change seen"), null=True)
    completed_at = models.DateTimeField(_("last completed"), null=True)
    full_completed_at = models.DateTimeField(_("last full sync completed"), null=True)
    #: When the last run began, how long it took, and how many objects it read and changed. NULL before the
    #: first run ended.
    attempted_at = models.DateTimeField(_("last attempted"), null=True)
    duration = models.DurationField(_("duration"), null=True)
    read = models.PositiveBigIntegerField(_("read"), null=True)
    changed = models.PositiveBigIntegerField(_("changed"), null=True)
    #: When a run last failed, and why. The error is empty after a finished sync.
    failed_at = models.DateTimeField(_("last failed"), null=True)
    error = models.CharField(_("last error"), max_length=255, default="", blank=True)

    #: How far an unfinished sync has come, and so where the next run resumes it. NULL after a finished sync.
    checkpoint = models.JSONField(_("checkpoint"), null=True)

    #: The run that is syncing this resource. Each page that it stores renews the lease.
    lease_owner = models.CharField(_("locked by"), max_length=255, default="")
    lease_expires_at = models.DateTimeField(_("locked until"), null=True)

    #: Mode evidence: about when PartnerStack last returned an object with its ``test`` flag set, and not set.
    test_seen_at = models.DateTimeField(_("test data last seen"), null=True)
    production_seen_at = models.DateTimeField(_("production data last seen"), null=True)

    #: The column of the mode evidence, by the ``test`` flag.
    SEEN_AT = {True: "test_seen_at", False: "production_seen_at"}

    objects = SyncStateQuerySet.as_manager()

    class Meta:
        default_permissions = ("add", "change", "delete", "view", "export")
        verbose_name = _("sync state")
        verbose_name_plural = _("sync states")
        constraints = (
            models.UniqueConstraint(fields=["mode", "resource"], name="partnerstack_syncstate_resource"),
        )

    def __str__(self) -> str:
        return f"{self.resource} ({self.mode})"


class SyncSeen(models.Model):
    """A key that an unfinished full sync has seen. At its end, all other rows of the mirror are missing."""

    state = models.ForeignKey(SyncState, on_delete=models.CASCADE, db_index=False)
    key = KeyField()

    class Meta:
        indexes = (models.Index(fields=["state", "key"], name="partnerstack_syncseen_key"),)

    def __str__(self) -> str:
        return self.key


#: How many runs of a mode are kept.
KEPT = 30


class ReconciliationRunManager(models.Manager["ReconciliationRun"]):
    def remember(self, result: dict[str, Any]) -> ReconciliationRun:
        """Store a result, and delete all but the newest results of its mode."""
        times = {
            name: datetime.fromisoformat(result[name]) if result[name] else None
            for name in ("started_at", "finished_at", "since")
        }
        number = sum(tally["count"] for tally in result["differences"].values())
        run = self.create(mode=result["mode"], differences=number, result=result, **times)
        old = self.filter(mode=result["mode"]).order_by("-pk").values_list("pk", flat=True)[KEPT:]
        self.filter(pk__in=list(old)).delete()
        return run


class ReconciliationRun(models.Model):
    """One comparison of the site's own objects with the mirror."""

    mode = models.CharField(_("mode"), max_length=10, choices=Mode.choices)
    started_at = models.DateTimeField(_("started"))
    finished_at = models.DateTimeField(_("finished"))
    since = models.DateTimeField(_("without what is older than"), null=True)
    differences = models.PositiveBigIntegerField(_("differences"), default=0)
    #: As ``partnerstack_reconcile --json`` prints it.
    result = models.JSONField(default=dict)

    objects = ReconciliationRunManager()

    class Meta:
        default_permissions = ("add", "change", "delete", "view", "export")
        verbose_name = _("reconciliation")
        verbose_name_plural = _("reconciliations")
        ordering = ("-pk",)
        indexes = (models.Index(fields=["mode", "id"]),)

    def __str__(self) -> str:
        return f"{self.started_at:%Y-%m-%d %H:%M}"
