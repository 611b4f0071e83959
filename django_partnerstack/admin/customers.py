from __future__ import annotations

import re
from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from ..models import Action, Customer, Partnership, Reward, Transaction
from ..outbox.operations import mirrored_in
from .assigning import AssignableAdmin
from .attributions import attribution_link, explained
from .columns import amount
from .links import Link, Related
from .pushable import PushableAdmin
from .refresh import RefreshableAdmin


@admin.register(Customer)
class CustomerAdmin(AssignableAdmin, PushableAdmin, RefreshableAdmin):
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
    actions = ("push_to_partnerstack", "refresh_from_partnerstack")
    customer_column = "customer_key"

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        fieldsets = super().get_fieldsets(request, obj)
        if not request.user.has_perm("partnerstack.view_attribution"):
            return fieldsets
        why = (_("Attribution"), {"fields": [attribution_link, explained]})
        return [fieldsets[0], why, *fieldsets[1:]]


@admin.register(Transaction)
class TransactionAdmin(PushableAdmin):
    columns = (
        "key",
        amount,
        Link(_("customer"), "customer_key", Customer, "key", "customer_key"),
        "approved",
    )
    details = ("customer_external_key", "test")
    related = (Related(Reward, "transaction_key"),)
    filters = ("approved", "test")
    search_fields = ("key", "customer_key", "customer_external_key")
    actions = ("push_to_partnerstack",)
    customer_column = "customer_external_key"

    def messages_of(self, row: Any) -> Q:
        """Also of what is left of a payment after refunds, which has a key of its own."""
        return Q(
            subject__in={row.key, re.sub(r"-r\d+$", "", row.key)}, operation__in=mirrored_in(Transaction)
        )
