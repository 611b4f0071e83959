from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from ...models import Action, Customer, Deal, Group, Lead, Partnership, Reward
from ..display.links import Link, Related
from .mirror import MirrorAdmin


@admin.register(Group)
class GroupAdmin(MirrorAdmin):
    columns = ("name", "slug", "default")
    related = (Related(Partnership, "group_key"),)
    filters = ("default",)
    search_fields = ("key", "name", "slug")


@admin.register(Partnership)
class PartnershipAdmin(MirrorAdmin):
    columns = (
        "partner_key",
        "email",
        Link(_("group"), "group_key", Group, "key", "name"),
        "approved_status",
    )
    details = ("first_name", "last_name")
    related = (
        Related(Customer, "partnership_key"),
        Related(Reward, "partnership_key"),
        Related(Action, "partnership_key"),
        Related(Deal, "partner_key", "partner_key"),
        Related(Lead, "partner_key", "partner_key"),
    )
    filters = ("approved_status",)
    search_fields = ("key", "partner_key", "email", "first_name", "last_name")
