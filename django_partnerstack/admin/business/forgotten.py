"""The page of forgotten customers: that they were forgotten, and nothing about them."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy

from ...models import ForgottenCustomer
from ..actions.export import ExportAction
from ..display.filters import ModeFilter
from ..display.read_only import LongListAdmin


@admin.register(ForgottenCustomer)
class ForgottenCustomerAdmin(ExportAction, LongListAdmin):
    list_display = ("customer_key", "forgotten_at", "finished_at", "kept_payments")
    list_filter = (ModeFilter,)
    fields = ("customer_key", "mode", "forgotten_at", "finished_at", "kept_payments")
    date_hierarchy = "forgotten_at"
    search_fields = ("customer_key__exact",)
    search_help_text = gettext_lazy("By a whole customer key.")
