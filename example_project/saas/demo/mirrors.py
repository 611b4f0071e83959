"""Pull: the partner programme in the site's own database, and how changes reach it."""

from __future__ import annotations

from django_partnerstack.models import Customer
from django_partnerstack.resources import RESOURCES

from .control import Control
from .output import Output, check


def fill(out: Output, partnerstack: Control) -> None:
    out.step("The partner programme is copied into the site's own database.")
    out.run("partnerstack_sync")
    check_mirrors(partnerstack)


def change(out: Output, partnerstack: Control) -> None:
    renamed, _, removed, *_ = partnerstack.objects("customers")
    out.step("At PartnerStack, one customer is renamed, two are created and one is deleted.")
    partnerstack.change("customers", renamed["key"], name="Renamed Ltd")
    for name in ("First New Ltd", "Second New Ltd"):
        partnerstack.create("customers", name=name)
    partnerstack.remove("customers", removed["key"])

    out.write("The next sync reads only what changed; the worker runs it every five minutes:")
    out.run("partnerstack_sync", "customers")
    names = ["First New Ltd", "Renamed Ltd", "Second New Ltd"]
    found = Customer.objects.filter(name__in=names).order_by("name")
    check([row.name for row in found] == names, "the mirror does not contain the changes")

    out.write("With --full it reads everything and finds deletions; the worker runs it once a day:")
    out.run("partnerstack_sync", "customers", "--full")
    row = Customer.objects.get(key=removed["key"])
    check(row.missing_since, f"{row} was deleted at PartnerStack, but the mirror does not show it")
    out.write(
        f"{row} is marked as missing since {row.missing_since:%H:%M:%S} UTC. A sync never deletes a row."
    )
    check_mirrors(partnerstack)


def check_mirrors(partnerstack: Control) -> None:
    for name, resource in RESOURCES.items():
        expected = {found["key"] for found in partnerstack.objects(name)}
        mirrored = set(resource.model._base_manager.filter(missing_since=None).values_list("key", flat=True))
        check(mirrored == expected, f"the mirror of {name} differs from PartnerStack")
