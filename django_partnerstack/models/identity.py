"""Which object of the site is which customer, and which keys the site has used."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from .fields import KeyField
from .mirror import Mode


class CustomerIdentity(models.Model):
    """
    The customer key of one row of the site.

    ``table``, ``namespace`` and ``object_pk`` name the row; ``model`` is its label, for people.
    ``namespace``: the database alias and the schema as ``alias:schema``; empty for the default database
    without schemas.
    """

    mode = models.CharField(_("mode"), max_length=10, choices=Mode.choices)
    #: Empty for a customer that no object of the site was given for.
    table = KeyField(_("table"), max_length=130)
    namespace = KeyField(_("database and schema"), max_length=130, default="", blank=True)
    object_pk = KeyField(_("primary key"))
    model = models.CharField(_("model"), max_length=200)
    key = KeyField(_("customer key"))
    #: The fingerprint of the customer's last queued data. Unchanged data are not queued again.
    last_reported = models.CharField(max_length=64, default="", editable=False)
    #: When the customer was forgotten. Since then nothing is reported about it.
    forgotten_at = models.DateTimeField(_("forgotten"), null=True, blank=True)

    class Meta:
        verbose_name = _("customer identity")
        verbose_name_plural = _("customer identities")
        constraints = (
            models.UniqueConstraint(
                fields=["mode", "table", "namespace", "object_pk"], name="partnerstack_identity_object"
            ),
            models.UniqueConstraint(fields=["mode", "key"], name="partnerstack_identity_key"),
        )

    def __str__(self) -> str:
        return self.key


class ReportedKey(models.Model):
    """
    A key that is used once: of a payment, a deletion, or an event; and of a note.

    Inserted with the first message of the key. Kept when the message is pruned and when the mirror is
    emptied, so that nothing is reported twice. For a payment it has the content that PartnerStack has, or
    gets from what is queued; for a deletion that corrects a payment, the content that it deletes.
    """

    mode = models.CharField(max_length=10, choices=Mode.choices)
    dedupe_key = KeyField(max_length=300)
    #: The object that the key belongs to, and the content of its message.
    source = models.CharField(max_length=200, default="")
    source_pk = KeyField(default="")
    namespace = KeyField(max_length=130, default="")
    customer_key = KeyField(default="")
    amount = models.BigIntegerField(null=True)
    currency = models.CharField(max_length=3, default="")
    fingerprint = models.CharField(max_length=64, default="")
    #: When PartnerStack was known to have it. NULL: its message may still be replaced by a corrected one.
    reported_at = models.DateTimeField(null=True)
    #: The primary key of the failed message that shows what is in conflict with it; see ``queue.conflicts``.
    conflict = models.BigIntegerField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["mode", "dedupe_key"], name="partnerstack_reportedkey_key"),
        )

    def __str__(self) -> str:
        return self.dedupe_key


class ForgottenCustomer(models.Model):
    """
    A customer whose personal data were erased. ``Tombstone`` recognises it when its data come back.

    What must stay, such as its payments, stays under ``customer_key``: its own key, or another one if its own
    contained an e-mail address.
    """

    mode = models.CharField(_("mode"), max_length=10, choices=Mode.choices)
    customer_key = KeyField(_("customer key"))
    #: Random, and the same in all rows of a mode. Not SECRET_KEY, because a site changes that.
    salt = models.CharField(max_length=64, editable=False)
    kept_payments = models.BooleanField(_("kept the texts of payments"), default=False)
    forgotten_at = models.DateTimeField(_("forgotten"))
    #: NULL: it was interrupted, and goes on when it is called again.
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    class Meta:
        verbose_name = _("forgotten customer")
        verbose_name_plural = _("forgotten customers")
        default_permissions = ("add", "change", "delete", "view", "export")
        ordering = ("-pk",)
        constraints = (
            models.UniqueConstraint(fields=["mode", "customer_key"], name="partnerstack_forgotten_key"),
        )

    def __str__(self) -> str:
        return self.customer_key


class Tombstone(models.Model):
    """A keyed hash of something that identifies a forgotten customer; see ``identity.tombstones``."""

    customer = models.ForeignKey(ForgottenCustomer, models.CASCADE)
    mode = models.CharField(max_length=10, choices=Mode.choices)
    digest = models.CharField(max_length=64)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["customer", "digest"], name="partnerstack_tombstone_digest"),
        )
        indexes = (models.Index(fields=["mode", "digest"], name="partnerstack_tombstone_mode"),)

    def __str__(self) -> str:
        return self.digest[:8]
