"""Pull: the partner programme in the site's own database, and what changes in it."""

from __future__ import annotations

from django_partnerstack.models import Customer
from django_partnerstack.resources import RESOURCES

from .control import Control
from .telling import Telling, must


def fill(tell: Telling, partnerstack: Control) -> None:
    tell.step("The partner programme, mirrored into the site's own database.")
    tell.run("partnerstack_sync")
    check_mirrors(partnerstack)


def change(tell: Telling, partnerstack: Control) -> None:
    renamed, _, vanishing, *_ = partnerstack.objects("customers")
    tell.step("At PartnerStack one customer gets another name, two are new, and one vanishes.")
    partnerstack.change("customers", renamed["key"], name="Renamed Ltd")
    for name in ("First New Ltd", "Second New Ltd"):
        partnerstack.create("customers", name=name)
    partnerstack.remove("customers", vanishing["key"])

    tell.say("The next sync reads only what changed; run it every few minutes:")
    tell.run("partnerstack_sync", "customers")
    names = ["First New Ltd", "Renamed Ltd", "Second New Ltd"]
    found = Customer.objects.filter(name__in=names).order_by("name")
    must([row.name for row in found] == names, "the mirror lacks what changed")

    tell.say("With --full it reads everything, and finds what is gone; once a day is enough:")
    tell.run("partnerstack_sync", "customers", "--full")
    row = Customer.objects.get(key=vanishing["key"])
    must(row.missing_since, f"{row} is gone at PartnerStack, and the mirror does not say so")
    tell.say(f"{row} is marked as missing since {row.missing_since:%H:%M:%S} UTC. No row is ever deleted.")
    check_mirrors(partnerstack)


def check_mirrors(partnerstack: Control) -> None:
    for name, resource in RESOURCES.items():
        there = {found["key"] for found in partnerstack.objects(name)}
        here = set(resource.model._base_manager.filter(missing_since=None).values_list("key", flat=True))
        must(here == there, f"the mirror of {name} differs from PartnerStack")
