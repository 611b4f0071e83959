from __future__ import annotations

from datetime import datetime, timedelta

from django.db import models
from django.utils.translation import gettext_lazy as _

from .fields import KeyField
from .mirror import Mode

#: A push notes again after so long what kind of data came back.
EVIDENCE_FOR = timedelta(hours=1)


class SyncStateQuerySet(models.QuerySet["SyncState"]):
    def record_mode_evidence(self, mode: str, resource: str, *, test: bool, now: datetime) -> None:
        """
        Remember that an object came back with its ``test`` flag set, or not set, unless that is known.

        Writes no other column, which may be a sync's, and sends no signals. Safe to repeat.
        """
        column = SyncState.SEEN_AT[test]
        state = self.filter(mode=mode, resource=resource)
        if state.filter(**{f"{column}__gt": now - EVIDENCE_FOR}).exists():
            return
        # A row that somebody makes at this very moment stays.
        if not state.update(**{column: now}):
            self.bulk_create(
                [self.model(mode=mode, resource=resource, **{column: now})], ignore_conflicts=True
            )

    def mode_mismatch(self, mode: str) -> Mode | None:
        """
        The kind of data that came back, if all of it was of the other kind than ``mode``.

        Key pairs of both kinds look alike; only the flag on what they return tells them apart
        (docs.partnerstack.com/docs/authentication). None while nothing was seen, or anything that fits.
        """
        seen = self.filter(mode=mode).aggregate(
            **{
                Mode.TEST: models.Max(SyncState.SEEN_AT[True]),
                Mode.PRODUCTION: models.Max(SyncState.SEEN_AT[False]),
            }
        )
        kinds = [Mode(kind) for kind, when in seen.items() if when]
        return kinds[0] if kinds and mode not in kinds else None


class SyncState(models.Model):
    """How far the sync of one resource in one mode has come, and who is at it."""

    mode = models.CharField(_("mode"), max_length=10, choices=Mode.choices)
    resource = models.CharField(_("resource"), max_length=32)
    #: Where the last complete walk ended: the newest change it saw, by PartnerStack's clock.
    watermark = models.DateTimeField(_("newest change seen"), null=True)
    completed_at = models.DateTimeField(_("last completed"), null=True)

    #: The walk under way. All empty between walks; after a crash, where the next run goes on.
    checkpoint = models.JSONField(_("checkpoint"), null=True)

    #: The run that holds this resource, and how long it does unless it stores another page.
    lease_owner = models.CharField(_("locked by"), max_length=255, default="")
    lease_expires_at = models.DateTimeField(_("locked until"), null=True)

    #: When an object came back with its ``test`` flag set, and not set; about when it last did.
    test_seen_at = models.DateTimeField(_("test data seen"), null=True)
    production_seen_at = models.DateTimeField(_("production data seen"), null=True)

    #: The column of each kind, by the ``test`` flag.
    SEEN_AT = {True: "test_seen_at", False: "production_seen_at"}

    objects = SyncStateQuerySet.as_manager()

    class Meta:
        verbose_name = _("sync state")
        verbose_name_plural = _("sync states")
        constraints = (
            models.UniqueConstraint(fields=["mode", "resource"], name="partnerstack_syncstate_resource"),
        )

    def __str__(self) -> str:
        return f"{self.resource} ({self.mode})"


class SyncSeen(models.Model):
    """A key that the full walk under way has met; what it never meets is missing. Empty between walks."""

    state = models.ForeignKey(SyncState, on_delete=models.CASCADE, db_index=False)
    key = KeyField()

    class Meta:
        indexes = (models.Index(fields=["state", "key"], name="partnerstack_syncseen_key"),)

    def __str__(self) -> str:
        return self.key
