from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from ..models import Action, Customer, Partnership, Reward, Transaction
from .columns import amount
from .links import Link, Related
from .mirror import MirrorAdmin
from .refresh import RefreshableAdmin


@admin.register(Customer)
class CustomerAdmin(RefreshableAdmin):
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


@admin.register(Transaction)
class TransactionAdmin(MirrorAdmin):
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
