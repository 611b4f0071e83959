"""The state of the throttle, which all processes of the site share."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.utils.translation import gettext_lazy as _

from .mirror import Mode


class ThrottleState(models.Model):
    """
    The state of the rate limiter and the circuit breaker, a row for each mode.

    A process locks the row before it claims messages or acquires a slot; see ``throttle.throttle``.
    """

    mode = models.CharField(_("mode"), max_length=10, choices=Mode.choices, unique=True)
    #: When the next request may be sent.
    next_slot_at = models.DateTimeField(_("next request not before"), null=True)
    #: No request is sent before this time: PartnerStack asked for a pause or rejected the keys, or too many
    #: requests failed.
    paused_until = models.DateTimeField(_("paused until"), null=True)
    pause_reason = models.CharField(_("reason"), max_length=255, default="", blank=True)
    #: The start of the minute that is counted, its requests, and how many of them failed.
    minute_began_at = models.DateTimeField(null=True, editable=False)
    requests = models.PositiveIntegerField(default=0, editable=False)
    failures = models.PositiveIntegerField(default=0, editable=False)
    #: After the pause only a single request, the probe, is sent; its result decides about the others.
    half_open = models.BooleanField(default=False, editable=False)
    #: A fingerprint of the key pair that PartnerStack rejected; empty once keys were accepted. Other keys are
    #: not paused.
    rejected_keys = models.CharField(max_length=64, default="", editable=False)
    #: Since when no request has succeeded, when the last failed, and why. NULL and empty after a success.
    failing_since = models.DateTimeField(_("failing since"), null=True, editable=False)
    failed_at = models.DateTimeField(null=True, editable=False)
    failure = models.CharField(_("last failure"), max_length=255, default="", editable=False)
    #: The database's time, annotated on a locked row.
    now: datetime

    class Meta:
        default_permissions = ("add", "change", "delete", "view", "export", "resume")
        verbose_name = _("connection to PartnerStack")
        verbose_name_plural = _("connections to PartnerStack")

    def __str__(self) -> str:
        return f"PartnerStack ({self.mode})"
