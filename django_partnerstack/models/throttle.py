"""What all processes of the site share about the requests to PartnerStack."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.utils.translation import gettext_lazy as _

from .mirror import Mode


class ThrottleState(models.Model):
    """
    The rate limiter's next slot and the circuit breaker's state, one row for each mode.

    The row is locked to claim messages and to acquire a slot; see ``throttle``.
    """

    mode = models.CharField(_("mode"), max_length=10, choices=Mode.choices, unique=True)
    #: When the next request may be sent.
    next_slot_at = models.DateTimeField(_("next request"), null=True)
    #: No request is sent before then: PartnerStack asked for a pause, too many requests failed, or the keys
    #: were refused.
    paused_until = models.DateTimeField(_("paused until"), null=True)
    pause_reason = models.CharField(_("reason"), max_length=255, default="", blank=True)
    #: The minute that the circuit breaker counts: when it began, its requests and its failures.
    minute_began_at = models.DateTimeField(null=True, editable=False)
    requests = models.PositiveIntegerField(default=0, editable=False)
    failures = models.PositiveIntegerField(default=0, editable=False)
    #: After the pause a single request, the probe, decides whether others may follow.
    half_open = models.BooleanField(default=False, editable=False)
    #: The database's time, annotated on a locked row.
    now: datetime

    class Meta:
        default_permissions = ("add", "change", "delete", "view", "resume")
        verbose_name = _("connection to PartnerStack")
        verbose_name_plural = _("connections to PartnerStack")

    def __str__(self) -> str:
        return f"PartnerStack ({self.mode})"
