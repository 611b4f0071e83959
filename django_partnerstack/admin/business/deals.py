from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from ...models import Deal, Lead, Partnership
from ..display.columns import money
from ..display.links import Link
from .mirror import MirrorAdmin

partnership = Link(_("partnership"), "partner_key", Partnership, "partner_key", "partner_key")


@admin.register(Deal)
class DealAdmin(MirrorAdmin):
    columns = ("external_key", "account_name", money, "stage", partnership)
    details = ("customer_key",)
    filters = ("stage",)
    search_fields = ("key", "external_key", "account_name", "customer_key", "partner_key")


@admin.register(Lead)
class LeadAdmin(MirrorAdmin):
    columns = ("external_key", money, "status", partnership)
    filters = ("status",)
    search_fields = ("key", "external_key", "partner_key")
