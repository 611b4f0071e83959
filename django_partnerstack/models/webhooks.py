"""The webhook events that PartnerStack has delivered."""

from __future__ import annotations

from datetime import datetime, timedelta
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


class WebhookEventQuerySet(models.QuerySet["WebhookEvent"]):
    def receive(self, columns: dict[str, Any], *, again: bool, now: datetime) -> None:
        """
        Store an event by one INSERT, or count it on the row of the same event.

        ``columns``: the values of mode, digest, state and all other columns that describe the event.
        ``again``: the same body can be another change, so an event that was processed is processed again.
        Safe to run concurrently.
        """
        using = router.db_for_write(self.model)
        row = {
            "reason": "",
            "attempts": 0,
            "lease_token": "",
            "due_at": now,
            **columns,
            "first_received_at": now,
            "last_received_at": now,
            "times_received": 1,
        }
        sql, params = _insertion(using, row, again=again, now=now)
        with connections[using].cursor() as cursor:
            cursor.execute(sql, params)


def _insertion(using: str, row: dict[str, Any], *, again: bool, now: datetime) -> tuple[str, list[Any]]:
    connection = connections[using]
    quote = connection.ops.quote_name
    table = quote(WebhookEvent._meta.db_table)
    names = [*row, "window"]
    fields: dict[str, Any] = {field.name: field for field in WebhookEvent._meta.concrete_fields}
    values = [fields[name].get_db_prep_save(value, connection) for name, value in row.items()]
    moment = fields["window"].get_db_prep_save
    same = (
        f"SELECT MAX(earlier.{quote('window')}) FROM {table} earlier "  # noqa: S608
        "WHERE earlier.mode = %s AND earlier.digest = %s AND earlier.first_received_at > %s"
    )
    # By the minute, so that doubles that arrive at the same time meet in one row.
    window = [row["mode"], row["digest"], moment(now - SAME_EVENT, connection)]
    window.append(moment(now.replace(second=0, microsecond=0), connection))
    reopened = _reopened(quote, table, again)
    changes = {
        "times_received": f"{table}.{quote('times_received')} + 1",
        "last_received_at": "%s",
        "due_at": f"CASE WHEN {reopened} THEN %s ELSE {table}.{quote('due_at')} END",
        "attempts": f"CASE WHEN {reopened} THEN 0 ELSE {table}.{quote('attempts')} END",
        # Last: MariaDB assigns from left to right, and the conditions above read the state.
        "state": f"CASE WHEN {reopened} THEN 'received' ELSE {table}.{quote('state')} END",
    }
    conflict = (
        "ON DUPLICATE KEY UPDATE"
        if connection.vendor == "mysql"
        else f"ON CONFLICT ({', '.join(map(quote, ('mode', 'digest', 'window')))}) DO UPDATE SET"
    )
    updates = ", ".join(f"{quote(name)} = {value}" for name, value in changes.items())
    sql = (
        f"INSERT INTO {table} ({', '.join(map(quote, names))}) "
        f"SELECT {', '.join(['%s'] * len(values))}, COALESCE(({same}), %s) "
        # The WHERE is for SQLite, which would parse a bare ON CONFLICT as the ON of a join.
        f"{'' if connection.vendor == 'mysql' else 'WHERE true '}{conflict} {updates}"
    )
    return sql, [*values, *window, moment(now, connection), moment(now, connection)]


def _reopened(quote: Any, table: str, again: bool) -> str:
    """The condition under which a double is processed again."""
    states = "'done', 'failed'" if again else "'failed'"
    return f"{table}.{quote('state')} IN ({states})"


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
        default_permissions = ("add", "change", "delete", "view", "replay", "endpoints")
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
