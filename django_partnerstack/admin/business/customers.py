from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from ...models import Action, Customer, Partnership, Reward, Transaction
from ..display.links import Link, Related
from .attributions import attribution_link, explained
from .reported import ReportedMirrorAdmin


@admin.register(Customer)
class CustomerAdmin(ReportedMirrorAdmin):
    columns = (
        "customer_key",
        "email",
        Link(_("partnership"), "partnership_key", Partnership, "key", "partner_key"),
    )
    details = ("name", "partner_key", "provider_key", "test")
    related = (
        Related(Transaction, "customer_key"),
        Related(Reward, "customer_key"),
        Related(Action, "customer_key"),
    )
    filters = ("test",)
    search_fields = ("key", "customer_key", "email", "name", "provider_key", "partner_key")
    customer_column = "customer_key"

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        fieldsets = super().get_fieldsets(request, obj)
        if not request.user.has_perm("partnerstack.view_attribution"):
            return fieldsets
        attribution = (_("Attribution"), {"fields": [attribution_link, explained]})
        return [fieldsets[0], attribution, *fieldsets[1:]]
