"""The webhook events that PartnerStack has delivered."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache
from typing import Any

from django.db import connections, models, router
from django.utils.translation import gettext_lazy as _

from .fields import JSONTextField, KeyField
from .mirror import Mode

#: For how long a body that is received again is the same event. Later it is a new event: something may have
#: changed from A to B and back to A.
SAME_EVENT = timedelta(minutes=10)


class WebhookState(models.TextChoices):
    RECEIVED = "received", _("received")
    DONE = "done", _("done")
    IGNORED = "ignored", _("ignored")
    FAILED = "failed", _("failed")


#: The columns of every new event.
NEW: dict[str, Any] = {"attempts": 0, "lease_token": "", "times_received": 1}


class WebhookEventQuerySet(models.QuerySet["WebhookEvent"]):
    def receive(self, columns: dict[str, Any], *, again: bool, now: datetime) -> None:
        """
        Store an event by one INSERT, or count it on the row of the same event.

        ``columns``: the values of mode, digest and all other columns that describe the event, as the database
        has them; the body as JSON text. ``again``: the same body can be another change, so an event that was
        processed is processed again. Safe to run concurrently.
        """
        using = router.db_for_write(self.model)
        adapt = connections[using].ops.adapt_datetimefield_value
        received_at = adapt(now)
        times = dict.fromkeys(("first_received_at", "last_received_at"), received_at)
        due_at = received_at if columns["state"] == WebhookState.RECEIVED else None
        row = {**NEW, **columns, **times, "due_at": due_at}
        # By the minute, so that doubles that arrive at the same time meet in one row.
        window = adapt(now.replace(second=0, microsecond=0))
        same = (row["mode"], row["digest"], adapt(now - SAME_EVENT), window)
        with connections[using].cursor() as cursor:
            cursor.execute(
                _insertion(using, tuple(row), again), [*row.values(), *same, received_at, received_at]
            )


@cache
def _insertion(using: str, names: tuple[str, ...], again: bool) -> str:
    connection = connections[using]
    quote = connection.ops.quote_name
    table = quote(WebhookEvent._meta.db_table)
    is_mysql = connection.vendor == "mysql"
    states = "'done', 'failed'" if again else "'failed'"
    # Whether a double is processed again.
    reopened = f"{table}.{quote('state')} IN ({states})"
    changes = {
        "times_received": f"{table}.{quote('times_received')} + 1",
        "last_received_at": "%s",
        "due_at": f"CASE WHEN {reopened} THEN %s ELSE {table}.{quote('due_at')} END",
        "attempts": f"CASE WHEN {reopened} THEN 0 ELSE {table}.{quote('attempts')} END",
        # Last: MariaDB assigns from left to right, and the conditions above read the state.
        "state": f"CASE WHEN {reopened} THEN 'received' ELSE {table}.{quote('state')} END",
    }
    unique = ", ".join(map(quote, ("mode", "digest", "window")))
    conflict = "ON DUPLICATE KEY UPDATE" if is_mysql else f"ON CONFLICT ({unique}) DO UPDATE SET"
    same = (
        f"SELECT MAX(earlier.{quote('window')}) FROM {table} earlier "  # noqa: S608
        "WHERE earlier.mode = %s AND earlier.digest = %s AND earlier.first_received_at > %s"
    )
    return (
        f"INSERT INTO {table} ({', '.join(map(quote, (*names, 'window')))}) "
        f"SELECT {', '.join(['%s'] * len(names))}, COALESCE(({same}), %s) "
        # The WHERE is for SQLite, which would parse a bare ON CONFLICT as the ON of a join.
        f"{'' if is_mysql else 'WHERE true '}{conflict} "
        f"{', '.join(f'{quote(name)} = {value}' for name, value in changes.items())}"
    )


class WebhookEvent(models.Model):
    """
    An event as PartnerStack delivered it. Nothing in the body is believed: it only says what to read again.

    A worker claims it by moving ``due_at`` to the end of its lease and writing its ``lease_token``.
    """

    mode = models.CharField(_("mode"), max_length=10, choices=Mode.choices)
    event = models.CharField(
        _("event"), max_length=100, default="", help_text=_("In one spelling, such as partnership.updated.")
    )
    event_received = models.CharField(_("event as received"), max_length=100, default="")
    kind = models.CharField(_("kind"), max_length=32, default="", help_text=_("Empty: not known."))
    key = KeyField(_("key"), default="", help_text=_("As far as the body contains one."))
    #: NULL once it was forgotten.
    body: Any = JSONTextField(_("body"), null=True)
    digest = models.CharField(_("digest"), max_length=64)
    #: About when the event was first received; with the digest, the identity of the event.
    window = models.DateTimeField(editable=False)
    first_received_at = models.DateTimeField(_("first received"))
    last_received_at = models.DateTimeField(_("last received"))
    times_received = models.PositiveIntegerField(_("times received"), default=1)
    state = models.CharField(
        _("state"), max_length=10, choices=WebhookState.choices, default=WebhookState.RECEIVED
    )
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    reason = models.TextField(_("reason"), default="")
    #: When it may be processed next, or when the lease of the worker that processes it expires.
    due_at = models.DateTimeField(_("next attempt"), null=True)
    lease_token = models.CharField(max_length=32, default="", editable=False)
    done_at = models.DateTimeField(_("done"), null=True)

    objects = WebhookEventQuerySet.as_manager()

    class Meta:
        default_permissions = ("add", "change", "delete", "view", "export", "replay", "endpoints")
        ordering = ("-last_received_at", "-pk")
        verbose_name = _("webhook event")
        verbose_name_plural = _("webhook events")
        constraints = (
            models.UniqueConstraint(fields=["mode", "digest", "window"], name="partnerstack_webhook_same"),
        )
        indexes = (
            models.Index(fields=["mode", "state", "due_at"], name="partnerstack_webhook_due"),
            models.Index(fields=["mode", "last_received_at"], name="partnerstack_webhook_last"),
            models.Index(fields=["mode", "key"], name="partnerstack_webhook_key"),
        )

    def __str__(self) -> str:
        return f"{self.event or '?'} {self.key}".rstrip()


class WebhookCounter(models.Model):
    """How many deliveries with a correct secret were refused and not stored, by reason."""

    mode = models.CharField(max_length=10, choices=Mode.choices)
    reason = models.CharField(max_length=20)
    count = models.PositiveIntegerField(default=0)
    last_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["mode", "reason"], name="partnerstack_webhookcounter_reason"),
        )

    def __str__(self) -> str:
        return f"{self.reason} ({self.mode}): {self.count}"
