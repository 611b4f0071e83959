from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from ..models import Deal, Lead, Partnership
from .columns import amount
from .links import Link
from .refresh import RefreshableAdmin

partnership = Link(_("partnership"), "partner_key", Partnership, "partner_key", "partner_key")


@admin.register(Deal)
class DealAdmin(RefreshableAdmin):
    columns = ("external_key", "account_name", amount, "stage", partnership)
    details = ("customer_key",)
    filters = ("stage",)
    search_fields = ("key", "external_key", "account_name", "customer_key", "partner_key")


@admin.register(Lead)
class LeadAdmin(RefreshableAdmin):
    columns = ("external_key", amount, "status", partnership)
    filters = ("status",)
    search_fields = ("key", "external_key", "partner_key")
