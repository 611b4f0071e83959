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
