"""What this site has to tell PartnerStack, and how far that has come."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from .fields import KeyField
from .mirror import Mode


class State(models.TextChoices):
    """Where a message stands. Only READY, SENDING and UNKNOWN take part in the order of a lane."""

    NEW = "new", _("queued")
    READY = "ready", _("waiting for its turn")
    SENDING = "sending", _("being sent")
    #: Sent, and no answer tells whether PartnerStack did it: looked up before it is sent again.
    UNKNOWN = "unknown", _("perhaps carried out")
    DELIVERED = "delivered", _("delivered")
    #: Of a customer without a partner. Costs no request; leaves once the customer has one.
    ORGANIC = "organic", _("organic")
    #: Waits for a message that is dead, held or cancelled.
    BLOCKED = "blocked", _("blocked")
    #: Waits for a person.
    HELD = "held", _("held")
    #: PartnerStack refuses it, or too many attempts failed. A person can retry it.
    DEAD = "dead", _("dead")
    CANCELLED = "cancelled", _("cancelled")
    #: The site's source says that this object is not to be reported.
    SKIPPED = "skipped", _("not reported")


class OutboxMessage(models.Model):
    """One thing to tell PartnerStack. What is sent is fixed when it is queued and never built again."""

    mode = models.CharField(_("mode"), max_length=10, choices=Mode.choices)
    lane = KeyField(_("lane"), max_length=280, help_text=_("Messages of one lane leave one after the other."))
    operation = models.CharField(_("operation"), max_length=40)
    #: The key of what the message is about: a customer key, or the key of a transaction before refunds.
    subject = KeyField(_("about"), default="")
    payload = models.JSONField(_("content"))
    #: The click or partner that the customer is credited to, fixed when the message is taken in.
    credit = models.JSONField(_("credited to"), default=dict, blank=True)
    fingerprint = models.CharField(_("fingerprint"), max_length=64)
    #: What may be queued only once, ever. NULL: as often as one likes.
    unique_key = KeyField(max_length=300, null=True, editable=False)
    #: Creating the customer comes first in its lane (0), whatever was queued before.
    rank = models.PositiveSmallIntegerField(default=1, editable=False)

    #: The host's objects, what was reported and whose it is: "app.model" and primary key.
    source = models.CharField(_("source"), max_length=200, default="")
    source_pk = models.CharField(_("source's primary key"), max_length=255, default="")
    customer_source = models.CharField(max_length=200, default="", editable=False)
    customer_source_pk = models.CharField(max_length=255, default="", editable=False)

    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.NEW)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    token = models.CharField(max_length=32, default="", editable=False)
    queued_at = models.DateTimeField(_("queued"))
    first_sent_at = models.DateTimeField(_("first sent"), null=True)
    sent_at = models.DateTimeField(_("last sent"), null=True)
    #: The last attempt of which nobody knows whether PartnerStack carried it out.
    in_doubt_since = models.DateTimeField(_("in doubt since"), null=True)
    #: The first such attempt: from then on it may have been carried out.
    first_doubt_at = models.DateTimeField(null=True, editable=False)
    next_try_at = models.DateTimeField(_("next try"), null=True)
    finished_at = models.DateTimeField(_("finished"), null=True)
    #: Why it stands where it stands.
    reason = models.TextField(_("reason"), default="", blank=True)
    response = models.JSONField(_("answer"), null=True)

    class Meta:
        verbose_name = _("outbox message")
        verbose_name_plural = _("outbox messages")
        ordering = ("-pk",)
        default_permissions = ("add", "change", "delete", "view", "retry", "hold", "release", "cancel")
        permissions = (("mark_delivered_outboxmessage", "Can mark outbox message as delivered"),)
        constraints = (
            models.UniqueConstraint(fields=["mode", "unique_key"], name="partnerstack_outboxmessage_once"),
        )
        indexes = (
            models.Index(fields=["mode", "lane", "state", "rank", "id"], name="partnerstack_outbox_lane"),
            models.Index(fields=["mode", "state", "id"], name="partnerstack_outbox_state"),
            models.Index(fields=["mode", "subject", "id"], name="partnerstack_outbox_subject"),
        )

    def __str__(self) -> str:
        return f"{self.operation} {self.subject}"

    @property
    def content(self) -> dict[str, Any]:
        """All that is sent."""
        return {**self.payload, **self.credit}


class Standing(models.TextChoices):
    """What is known of a lane's customer."""

    NEW = "new", _("not yet known")
    ORGANIC = "organic", _("without a partner")
    #: At PartnerStack, or first in the lane to be created there: everything may leave in its order.
    OPEN = "open", _("reported")
    #: Its creation is dead, held or cancelled, so nothing of it can leave.
    BLOCKED = "blocked", _("blocked")


class OutboxLane(models.Model):
    """The messages of one customer, or partnership, in their order: only the first may be under way."""

    mode = models.CharField(_("mode"), max_length=10, choices=Mode.choices)
    key = KeyField(_("key"), max_length=280)
    standing = models.CharField(_("customer"), max_length=10, choices=Standing.choices, default=Standing.NEW)
    #: When to look at it again. While a message is being sent: when its lease ends. NULL: when one comes.
    due_at = models.DateTimeField(_("due"), null=True)

    class Meta:
        verbose_name = _("outbox lane")
        verbose_name_plural = _("outbox lanes")
        constraints = (models.UniqueConstraint(fields=["mode", "key"], name="partnerstack_outboxlane_key"),)
        indexes = (models.Index(fields=["mode", "due_at"], name="partnerstack_outboxlane_due"),)

    def __str__(self) -> str:
        return self.key


class OutboxConnection(models.Model):
    """What all workers of the site share about the line to PartnerStack, one row a mode."""

    mode = models.CharField(_("mode"), max_length=10, choices=Mode.choices, unique=True)
    #: When the next request may leave.
    next_slot_at = models.DateTimeField(_("next request"), null=True)
    #: Until then nothing leaves: PartnerStack said so, too much failed, or it refused the keys.
    closed_until = models.DateTimeField(_("closed until"), null=True)
    closed_reason = models.CharField(_("closed because"), max_length=255, default="", blank=True)
    #: Requests in the minute that began then, and those of them that failed.
    minute_began_at = models.DateTimeField(null=True, editable=False)
    requests = models.PositiveIntegerField(default=0, editable=False)
    failures = models.PositiveIntegerField(default=0, editable=False)
    probing = models.BooleanField(default=False, editable=False)
    #: The database's own time, on a row that is locked.
    now: datetime

    class Meta:
        default_permissions = ("add", "change", "delete", "view", "open")
        verbose_name = _("connection")
        verbose_name_plural = _("connections")

    def __str__(self) -> str:
        return f"PartnerStack ({self.mode})"
