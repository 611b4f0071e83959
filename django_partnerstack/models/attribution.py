"""Which partner sent a customer to this site. Decided once, when the customer signs up."""

from __future__ import annotations

from collections.abc import Collection

from django.db import models
from django.utils.translation import gettext_lazy as _

from .fields import KeyField
from .mirror import Mode


class AttributionMethod(models.TextChoices):
    """Where the click was read from when the customer signed up, or how the partner was assigned."""

    NONE = "", _("no click")
    LINK = "link", _("the link of the same request")
    PAGE_BEFORE = "page-before", _("the link to the page before")
    COOKIE = "cookie", _("this site's cookie")
    LANDING_SCRIPT = "landing-js", _("the cookie of landing.js")
    PARTNERSTACK = "partnerstack", _("PartnerStack's own cookie")
    TOKEN = "token", _("a token")
    MANUAL = "hand", _("assigned by an operator")


class AttributionQuerySet(models.QuerySet["Attribution"]):
    def of_customers(self, mode: str, customer_keys: Collection[str]) -> dict[str, Attribution]:
        """The attributions of these customers in a mode, by customer key."""
        found = self.filter(mode=mode, customer_key__in=customer_keys)
        return {attribution.customer_key: attribution for attribution in found}


class Attribution(models.Model):
    """
    The click that brought a customer, or that there was none. Later clicks never replace it.

    The partner that PartnerStack has for the customer is in ``Customer.partner_key``. The two may differ.
    """

    mode = models.CharField(_("mode"), max_length=10, choices=Mode.choices)
    customer_key = KeyField(_("customer key"))
    source = models.CharField(_("source"), max_length=200, default="", blank=True)
    source_pk = models.CharField(_("source's primary key"), max_length=255, default="", blank=True)

    method = models.CharField(
        _("attributed by"),
        max_length=12,
        choices=AttributionMethod.choices,
        default=AttributionMethod.NONE,
        blank=True,
    )
    click_id = KeyField(_("click ID"), default="", blank=True)
    partner_key = KeyField(_("partner key"), default="", blank=True)
    #: The encoded key of the link, if it could not be decoded.
    unread_key = models.CharField(_("unreadable key"), max_length=255, default="", blank=True)
    link_host = models.CharField(_("link host"), max_length=255, default="", blank=True)
    clicked_at = models.DateTimeField(_("clicked at"), null=True, blank=True)
    landing_path = models.CharField(_("landing page"), max_length=255, default="", blank=True)
    #: Earlier clicks of the same visitor, newest first.
    earlier_clicks = models.JSONField(_("earlier clicks"), default=list, blank=True)
    #: What a conversion sends about the visit. Stored only if PARTNERSTACK_PRIVACY is "full".
    visit = models.JSONField(_("visit"), default=dict, blank=True)
    #: Why there is no click, or who assigned the partner.
    reason = models.CharField(_("reason"), max_length=255, default="", blank=True)
    bound_at = models.DateTimeField(_("attributed at"))

    objects = AttributionQuerySet.as_manager()

    class Meta:
        verbose_name = _("attribution")
        verbose_name_plural = _("attributions")
        default_permissions = ("add", "change", "delete", "view", "export", "assign")
        ordering = ("-pk",)
        constraints = (
            models.UniqueConstraint(
                fields=["mode", "customer_key"], name="partnerstack_attribution_customer"
            ),
        )
        indexes = (models.Index(fields=["mode", "partner_key"]), models.Index(fields=["mode", "bound_at"]))

    def __str__(self) -> str:
        return self.customer_key
