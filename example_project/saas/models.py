"""The models of a small SaaS site. They know nothing of PartnerStack; ``partnerstack.py`` connects them."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class Account(models.Model):
    """A customer of the site. ``partner_key``: the partner who referred it, as given on the sign-up form."""

    owner = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.PROTECT)
    name = models.CharField(max_length=100)
    partner_key = models.CharField(max_length=255, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name


class Payment(models.Model):
    """A payment of an account, in major units: ``Decimal("49.00")`` is $49."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="payments")
    amount = models.DecimalField(max_digits=12, decimal_places=2)
    currency = models.CharField(max_length=3, default="USD")
    paid = models.BooleanField(default=False)
    refunded = models.DecimalField(max_digits=12, decimal_places=2, default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-pk",)

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"

    @property
    def key(self) -> str:
        """The transaction key of this payment at PartnerStack."""
        return f"payment-{self.pk}"
