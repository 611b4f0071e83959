"""
Rows that mirror the objects of PartnerStack. Only a response of PartnerStack creates a row.

A mirror has a column for each field that is filtered, joined or listed by; everything else that PartnerStack
sent is in ``raw``. There are no foreign keys: objects arrive in any order, and some never arrive. ``refers``
only describes a join.
"""

from __future__ import annotations

from django.db import models
from django.db.models import ForeignObject
from django.utils.translation import gettext_lazy as _

from .fields import KeyField


class Mode(models.TextChoices):
    TEST = "test", _("test")
    PRODUCTION = "production", _("production")


def by(column: str) -> models.Index:
    """
    An index to find or order the rows of one mode by a column.

    Not ``db_index``: on PostgreSQL that adds a second index, for ``LIKE``, which nothing here uses.
    """
    return models.Index(fields=["mode", column])


def refers(model: str, column: str) -> ForeignObject:
    """
    The row of the same mode whose key is in a column: a join for queries, without a column or a constraint.

    The row may not exist: read the column, not this attribute.
    """
    return ForeignObject(
        model,
        on_delete=models.DO_NOTHING,
        from_fields=["mode", column],
        to_fields=["mode", "key"],
        null=True,
        editable=False,
        related_name="+",
    )


PERMISSIONS: tuple[str, ...] = ("add", "change", "delete", "view", "export", "refresh")
#: For objects that this site also reports.
PUSHED = (*PERMISSIONS, "push")


class Mirror(models.Model):
    """An object of PartnerStack. A subclass has a column for each field of its record; see ``resources``."""

    mode = models.CharField(_("mode"), max_length=10, choices=Mode.choices, editable=False)
    key = KeyField(_("key"), help_text=_("PartnerStack's own key."))
    raw = models.JSONField(_("as received"), default=dict)
    remote_created_at = models.DateTimeField(_("created"), null=True)
    remote_updated_at = models.DateTimeField(_("updated"), null=True)
    archived = models.BooleanField(_("archived"), default=False)
    missing_since = models.DateTimeField(
        _("missing since"), null=True, help_text=_("When a full sync did not find it at PartnerStack.")
    )
    synced_at = models.DateTimeField(
        _("synced"), null=True, help_text=_("When PartnerStack's data were last written to this row.")
    )

    class Meta:
        abstract = True
        default_permissions = PERMISSIONS
        ordering = ("-remote_created_at", "-pk")
        constraints = (models.UniqueConstraint(fields=["mode", "key"], name="%(app_label)s_%(class)s_key"),)
        indexes = [by("remote_created_at")]

    def __str__(self) -> str:
        return self.key


class Group(Mirror):
    name = models.CharField(_("name"), max_length=255, default="")
    slug = models.CharField(_("slug"), max_length=255, default="")
    default = models.BooleanField(_("default"), default=False)

    class Meta(Mirror.Meta):
        verbose_name = _("group")
        verbose_name_plural = _("groups")

    def __str__(self) -> str:
        return self.name or self.key


class Partnership(Mirror):
    partner_key = KeyField(_("partner key"), default="")
    email = models.CharField(_("e-mail"), max_length=255, default="")
    first_name = models.CharField(_("first name"), max_length=255, default="")
    last_name = models.CharField(_("last name"), max_length=255, default="")
    group_key = KeyField(_("group key"), default="")
    approved_status = models.CharField(_("approved"), max_length=255, default="")

    class Meta(Mirror.Meta):
        indexes = [*Mirror.Meta.indexes, by("partner_key")]
        verbose_name = _("partnership")
        verbose_name_plural = _("partnerships")

    def __str__(self) -> str:
        return self.partner_key or self.key


class Customer(Mirror):
    customer_key = KeyField(_("customer key"), default="", help_text=_("This site's key."))
    email = models.CharField(_("e-mail"), max_length=255, default="")
    name = models.CharField(_("name"), max_length=255, default="")
    partner_key = KeyField(_("partner key"), default="")
    partnership_key = KeyField(_("partnership key"), default="")
    provider_key = KeyField(_("provider key"), default="", help_text=_("The payment provider's key."))
    test = models.BooleanField(_("test"), null=True)
    partnership = refers("Partnership", "partnership_key")

    class Meta(Mirror.Meta):
        indexes = [*Mirror.Meta.indexes, by("customer_key"), by("partnership_key"), by("email")]
        default_permissions = (*PUSHED, "forget")
        verbose_name = _("customer")
        verbose_name_plural = _("customers")

    def __str__(self) -> str:
        return self.customer_key or self.key or self.email


class Transaction(Mirror):
    customer_key = KeyField(_("customer"), default="", help_text=_("PartnerStack's own key."))
    customer_external_key = KeyField(_("customer key"), default="", help_text=_("This site's key."))
    amount = models.BigIntegerField(_("amount"), null=True, help_text=_("In minor units of the currency."))
    currency = models.CharField(_("currency"), max_length=3, default="")
    approved = models.BooleanField(_("approved"), null=True)
    test = models.BooleanField(_("test"), null=True)
    customer = refers("Customer", "customer_key")

    class Meta(Mirror.Meta):
        indexes = [*Mirror.Meta.indexes, by("customer_key")]
        default_permissions = PUSHED
        verbose_name = _("transaction")
        verbose_name_plural = _("transactions")


class Deal(Mirror):
    external_key = KeyField(_("external key"), default="")
    partner_key = KeyField(_("partner key"), default="")
    customer_key = KeyField(_("customer key"), default="")
    account_name = models.CharField(_("account"), max_length=255, default="")
    amount = models.BigIntegerField(_("amount"), null=True, help_text=_("In cents."))
    stage = models.CharField(_("stage"), max_length=255, default="")

    class Meta(Mirror.Meta):
        indexes = [*Mirror.Meta.indexes, by("external_key"), by("partner_key")]
        verbose_name = _("deal")
        verbose_name_plural = _("deals")


class Lead(Mirror):
    external_key = KeyField(_("external key"), default="")
    partner_key = KeyField(_("partner key"), default="")
    amount = models.BigIntegerField(_("amount"), null=True, help_text=_("In cents."))
    status = models.CharField(_("status"), max_length=255, default="")

    class Meta(Mirror.Meta):
        indexes = [*Mirror.Meta.indexes, by("external_key"), by("partner_key")]
        verbose_name = _("lead")
        verbose_name_plural = _("leads")


class Action(Mirror):
    type = models.CharField(_("type"), max_length=255, default="")
    value = models.BigIntegerField(_("value"), null=True)
    external_key = KeyField(_("external key"), default="")
    customer_key = KeyField(_("customer"), default="", help_text=_("PartnerStack's own key."))
    partnership_key = KeyField(_("partnership key"), default="")

    class Meta(Mirror.Meta):
        indexes = [*Mirror.Meta.indexes, by("external_key"), by("customer_key"), by("partnership_key")]
        verbose_name = _("action")
        verbose_name_plural = _("actions")


class Reward(Mirror):
    amount = models.BigIntegerField(_("amount"), null=True, help_text=_("In minor units of the currency."))
    currency = models.CharField(_("currency"), max_length=3, default="")
    reward_status = models.CharField(_("status"), max_length=255, default="")
    partnership_key = KeyField(_("partnership key"), default="")
    customer_key = KeyField(_("customer"), default="", help_text=_("PartnerStack's own key."))
    transaction_key = KeyField(_("transaction key"), default="")

    class Meta(Mirror.Meta):
        indexes = [*Mirror.Meta.indexes, by("partnership_key"), by("customer_key"), by("transaction_key")]
        verbose_name = _("reward")
        verbose_name_plural = _("rewards")
