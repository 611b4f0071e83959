"""The outbox: what this site reports to PartnerStack, and the progress of each message."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from .fields import KeyField
from .mirror import Mode


class State(models.TextChoices):
    """
    The state of a message. Only SCHEDULED, SENDING and UNCONFIRMED messages are in the order of their lane.

    The stored values never change, because scripts of sites read them.
    """

    QUEUED = "new", _("queued")
    SCHEDULED = "ready", _("scheduled")
    SENDING = "sending", _("sending")
    #: In doubt: sent, but no answer arrived. It is looked up before it is sent again.
    UNCONFIRMED = "unknown", _("unconfirmed")
    DELIVERED = "delivered", _("delivered")
    #: The customer has no partner. It is sent when the customer gets a partner, without a request until then.
    ORGANIC = "organic", _("organic")
    #: The customer was not reported yet. It is sent, or organic, as soon as the customer is reported.
    WAITING = "waiting", _("waiting for its customer")
    #: It depends on a message that failed, is on hold or was cancelled, or on one of another lane.
    BLOCKED = "blocked", _("blocked")
    ON_HOLD = "held", _("on hold")
    #: PartnerStack rejected it, or too many attempts failed. An operator can retry it.
    FAILED = "dead", _("failed")
    CANCELLED = "cancelled", _("cancelled")
    #: The site's source does not report this object.
    SKIPPED = "skipped", _("skipped")


class OutboxMessage(models.Model):
    """A report to PartnerStack. Its content is fixed when it is queued."""

    mode = models.CharField(_("mode"), max_length=10, choices=Mode.choices)
    lane = KeyField(_("lane"), max_length=280, help_text=_("Messages of one lane are sent in order."))
    operation = models.CharField(_("operation"), max_length=40)
    #: The key of what the message is about: a customer key, or the key of a payment before refunds.
    subject = KeyField(_("about"), default="")
    payload = models.JSONField(_("content"))
    #: The partner or click that the customer is attributed to, fixed when the message is sequenced.
    attributed_to = models.JSONField(_("attributed to"), default=dict, blank=True)
    fingerprint = models.CharField(_("fingerprint"), max_length=64)
    #: Only one message holds this key; see ``ReportedKey``. NULL: no limit, or another message took it over.
    dedupe_key = KeyField(max_length=300, null=True, editable=False)
    #: The creation of the customer (0) is sent before earlier messages (1).
    priority = models.PositiveSmallIntegerField(default=1, editable=False)

    #: The site's objects, as "app.model" and primary key: the reported object and its customer.
    source = models.CharField(_("source"), max_length=200, default="")
    source_pk = models.CharField(_("source's primary key"), max_length=255, default="")
    #: Where the reported object is; see ``CustomerIdentity``.
    namespace = models.CharField(_("database and schema"), max_length=130, default="", blank=True)
    customer_source = models.CharField(max_length=200, default="", editable=False)
    customer_source_pk = models.CharField(max_length=255, default="", editable=False)

    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.QUEUED)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    #: Identifies the claim of the worker that is sending it. A worker with another token writes nothing.
    lease_token = models.CharField(max_length=32, default="", editable=False)
    lease_expires_at = models.DateTimeField(_("lease expires"), null=True)
    queued_at = models.DateTimeField(_("queued"))
    first_sent_at = models.DateTimeField(_("first sent"), null=True)
    sent_at = models.DateTimeField(_("last sent"), null=True)
    #: The time of the last attempt without an answer.
    in_doubt_since = models.DateTimeField(_("in doubt since"), null=True)
    #: The time of the first such attempt. The message may have had its effect since then.
    first_in_doubt_at = models.DateTimeField(null=True, editable=False)
    #: How far the look-up of a message in doubt has got; see ``outbox.delivery.look_up``.
    look_up = models.JSONField(null=True, editable=False)
    next_try_at = models.DateTimeField(_("next attempt"), null=True)
    finished_at = models.DateTimeField(_("finished"), null=True)
    reason = models.TextField(_("reason"), default="", blank=True)
    #: What was changed when it was queued so that PartnerStack takes it, such as a name that was too long.
    note = models.CharField(_("note"), max_length=255, default="", blank=True)
    #: The trace in which it was queued, as W3C's "traceparent"; NULL without one. See ``telemetry``.
    traceparent = models.CharField(max_length=55, null=True, editable=False)  # noqa: DJ001
    #: Its customer was forgotten: content and answers are stored without personal data.
    forgotten = models.BooleanField(_("forgotten"), default=False, db_default=False, editable=False)

    class Meta:
        verbose_name = _("outbox message")
        verbose_name_plural = _("outbox messages")
        ordering = ("-pk",)
        default_permissions = (
            "add",
            "change",
            "delete",
            "view",
            "export",
            "retry",
            "hold",
            "release",
            "cancel",
        )
        permissions = (
            ("mark_delivered_outboxmessage", "Can mark outbox message as delivered"),
            ("correct_outboxmessage", "Can correct a reported payment"),
        )
        indexes = (
            models.Index(fields=["mode", "lane", "state", "priority", "id"], name="partnerstack_outbox_lane"),
            models.Index(fields=["mode", "state", "id"], name="partnerstack_outbox_state"),
            models.Index(fields=["mode", "subject", "id"], name="partnerstack_outbox_subject"),
        )

    def __str__(self) -> str:
        return f"{self.operation} {self.subject}"

    @property
    def content(self) -> dict[str, Any]:
        """All that is sent: the payload and the attribution."""
        return {**self.payload, **self.attributed_to}


class AttemptKind(models.TextChoices):
    """What an attempt asked of PartnerStack."""

    SEND = "send", _("Send")
    LOOK_UP = "look_up", _("Look-up")


class AttemptOutcome(models.TextChoices):
    """How an attempt ended. A message is delivered by DELIVERED or FOUND, and fails by FAILED or DIFFERS."""

    DELIVERED = "delivered", _("delivered")
    #: PartnerStack accepted it, but only a look-up shows whether it had an effect. Normal for a conversion.
    ACCEPTED = "accepted", _("accepted, to be confirmed")
    #: PartnerStack rejected it, the site may not send it, or there were too many attempts.
    FAILED = "failed", _("failed")
    #: It had no effect, and is repeated.
    RETRY = "retry", _("retry later")
    #: No usable answer arrived: PartnerStack may have carried it out.
    UNCONFIRMED = "unconfirmed", _("unconfirmed")
    #: The worker stopped before it wrote an outcome. Written by the worker that claimed the message next.
    LOST = "lost", _("no answer, the worker stopped")
    #: The answer came after the lease had expired, so another worker had the message. It changed nothing.
    LATE = "late", _("answered too late")
    #: PartnerStack has such an object already. A look-up shows whether it is the same.
    CONFLICT = "conflict", _("rejected as a duplicate")
    FOUND = "found", _("found")
    NOT_FOUND = "not_found", _("not found")
    DIFFERS = "differs", _("found, but different")
    #: The look-up has read some pages and reads the others later.
    CONTINUES = "continues", _("continues later")


class Attempt(models.Model):
    """
    One sending of a message, or one look-up, with its outcome. Deleted after the retention time.

    Written with the outcome of its message, in one transaction. Texts contain no keys of the settings.
    """

    message = models.ForeignKey(OutboxMessage, models.CASCADE, verbose_name=_("message"))
    mode = models.CharField(_("mode"), max_length=10, choices=Mode.choices)
    kind = models.CharField(_("kind"), max_length=10, choices=AttemptKind.choices)
    #: ``OutboxMessage.attempts`` during the attempt, which counts toward the limit of attempts.
    number = models.PositiveIntegerField(_("number"))
    #: By the clock of the database.
    started_at = models.DateTimeField(_("started"))
    #: Milliseconds, from the connection to the end of the answer. NULL: the worker stopped.
    duration = models.PositiveIntegerField(_("duration"), null=True)
    #: How many requests a look-up sent. The columns below are about the last of them.
    requests = models.PositiveIntegerField(_("requests"), default=1)
    #: Method and path, without the query. Empty if nothing was sent.
    request_line = models.CharField(_("request"), max_length=300, default="", blank=True)
    #: The HTTP status. NULL: no answer.
    status = models.PositiveSmallIntegerField(_("status"), null=True)
    #: The beginning of the body, at most 4,096 characters.
    answer = models.TextField(_("answer"), default="", blank=True)
    #: Why there is no answer.
    error = models.TextField(_("error"), default="", blank=True)
    outcome = models.CharField(_("outcome"), max_length=12, choices=AttemptOutcome.choices)

    class Meta:
        verbose_name = _("attempt")
        verbose_name_plural = _("attempts")
        ordering = ("-pk",)
        indexes = (models.Index(fields=["mode", "started_at", "outcome"], name="partnerstack_attempt_time"),)

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.number}: {self.get_outcome_display()}"


class LaneStatus(models.TextChoices):
    """What is known about the customer of a lane."""

    NEW = "new", _("not reported yet")
    ORGANIC = "organic", _("without a partner")
    #: PartnerStack has the customer, or its creation is sent first: messages are sent in order.
    OPEN = "open", _("reported")
    #: The creation failed, is on hold or was cancelled, so nothing of the lane is sent.
    BLOCKED = "blocked", _("blocked")


class OutboxLane(models.Model):
    """The messages of one customer, sent one after the other."""

    mode = models.CharField(_("mode"), max_length=10, choices=Mode.choices)
    key = KeyField(_("key"), max_length=280)
    status = models.CharField(
        _("customer"), max_length=10, choices=LaneStatus.choices, default=LaneStatus.NEW
    )
    #: When to claim its next message; while a message is being sent, when its lease expires. NULL: nothing to
    #: send.
    due_at = models.DateTimeField(_("due"), null=True)
    #: The customer was forgotten: nothing new is sent about it, except refunds.
    forgotten = models.BooleanField(_("forgotten"), default=False, db_default=False, editable=False)

    class Meta:
        default_permissions = ("add", "change", "delete", "view", "export")
        verbose_name = _("customer queue")
        verbose_name_plural = _("customer queues")
        constraints = (models.UniqueConstraint(fields=["mode", "key"], name="partnerstack_outboxlane_key"),)
        indexes = (models.Index(fields=["mode", "due_at"], name="partnerstack_outboxlane_due"),)

    def __str__(self) -> str:
        return self.key


class SourceFailure(models.Model):
    """
    An object that could not be reported, because its source raised an error or its data cannot be used.

    Deleted as soon as the object is reported.
    """

    mode = models.CharField(_("mode"), max_length=10, choices=Mode.choices)
    #: The object, as in ``CustomerIdentity``. ``source``: the label of the model whose source was asked.
    source = models.CharField(_("source"), max_length=200)
    table = KeyField(_("table"), max_length=130)
    namespace = KeyField(_("database and schema"), max_length=130, default="", blank=True)
    source_pk = KeyField(_("source's primary key"))
    operation = models.CharField(_("operation"), max_length=40)
    error = models.TextField(_("error"))
    first_failed_at = models.DateTimeField(_("first failed"))
    last_failed_at = models.DateTimeField(_("last failed"))
    times = models.PositiveIntegerField(_("times"), default=1)

    class Meta:
        verbose_name = _("source error")
        verbose_name_plural = _("source errors")
        ordering = ("-last_failed_at", "-pk")
        default_permissions = ("add", "change", "delete", "view", "export", "report")
        constraints = (
            models.UniqueConstraint(
                fields=["mode", "table", "namespace", "source_pk"], name="partnerstack_sourcefailure_object"
            ),
        )

    def __str__(self) -> str:
        where = f" in {self.namespace.strip(':')}" if self.namespace else ""
        return f"{self.source} {self.source_pk}{where}"
