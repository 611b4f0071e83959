from __future__ import annotations

from django.db import models

from django_partnerstack.models import Mirror
from django_partnerstack.models.fields import KeyField


class Account(models.Model):
    email = models.EmailField()
    name = models.CharField(max_length=100, blank=True, default="")
    partner_key = models.CharField(max_length=100, blank=True, default="")

    def __str__(self) -> str:
        return self.email


class Payment(models.Model):
    account = models.ForeignKey(Account, on_delete=models.CASCADE)
    total = models.DecimalField(max_digits=12, decimal_places=2)
    currency = models.CharField(max_length=3, default="USD")
    paid = models.BooleanField(default=True)

    def __str__(self) -> str:
        return f"{self.total} {self.currency}"


class Offer(Mirror):
    """The mirror of an invented resource of PartnerStack, which tests declare."""

    title = models.CharField(max_length=255, default="")
    partner_key = KeyField(default="")
    amount = models.BigIntegerField(null=True)
