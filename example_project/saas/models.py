"""What a small SaaS site has anyway. Nothing in here knows PartnerStack; ``partnerstack.py`` does."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class Account(models.Model):
    """A customer of the site. ``partner_key``: the partner who sent it, empty if it came by itself."""

    owner = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.PROTECT)
    name = models.CharField(max_length=100)
    partner_key = models.CharField(max_length=255, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name


class Payment(models.Model):
    """Money of an account, in the currency's own unit: ``Decimal("49.00")`` is 49 dollars."""

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
        """The name of this payment everywhere outside of the site."""
        return f"payment-{self.pk}"
