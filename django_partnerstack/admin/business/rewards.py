from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from ...models import Action, Customer, Partnership, Reward, Transaction
from ..display.columns import money
from ..display.links import Link
from .mirror import MirrorAdmin

partnership = Link(_("partnership"), "partnership_key", Partnership, "key", "partner_key")
customer = Link(_("customer"), "customer_key", Customer, "key", "customer_key")
transaction = Link(_("transaction"), "transaction_key", Transaction, "key", "key")


@admin.register(Reward)
class RewardAdmin(MirrorAdmin):
    columns = ("key", money, "reward_status", partnership, customer)
    details = (transaction,)
    filters = ("reward_status",)
    search_fields = ("key", "partnership_key", "customer_key", "transaction_key")


@admin.register(Action)
class ActionAdmin(MirrorAdmin):
    columns = ("key", "type", "value", customer, partnership)
    details = ("external_key",)
    filters = ("type",)
    search_fields = ("key", "external_key", "type", "customer_key", "partnership_key")
