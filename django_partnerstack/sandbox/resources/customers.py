"""Customers (docs.partnerstack.com/reference/post_customers and patch_customers)."""

from __future__ import annotations

from typing import Any

from .. import custom
from ..behaviour import Behaviour
from ..collection import Row
from ..replies import Refusal
from ..resource import Resource
from ..schema import META, text
from ..world import Call, World
from .filters import equals, of_partnership
from .groups import in_group
from .partnerships import find_partner

BUILT_IN = {
    "name": "input",
    "email": "email",
    "company_name": "input",
    "website": "input",
    "phone": "phone",
    "country_iso": "country",
    "source_type": "input",
}
WRITTEN_BY_META = ("name", "email")
STORED = ("customer_key", "email", "name", "provider_key")
NAMES = {"external": "customer_key", "internal": "key", "email": "email"}
SENT = {
    "customer_key": text(null=True),
    "email": text(255, 4, format="email"),
    "name": text(100),
    "provider_key": text(null=True),
    "meta": META,
}
CREATING = {
    "type": ["object"],
    "required": ["email", "partner_key"],
    "properties": {"partner_key": text(), "member_key": text(), **SENT},
}
UPDATING = {"type": ["object"], "properties": {"member_key": text(), **SENT}}


def sample(world: World, number: int) -> Row:
    partners = world["partnerships"].orders["created_at"]
    partner = partners[world.random.randrange(len(partners))]
    row = {
        "customer_key": f"customer-{number}",
        "email": f"customer{number}@customers.example",
        "name": f"Customer {number}",
        "partner_key": partner["partner_key"],
    }
    return row if number % 20 else row | {"mdata": {"plan": "trial"}}


def new(call: Call) -> Row:
    body = call.body
    if call.behaviour.customer_key_required and "customer_key" not in body:
        raise Refusal(400, "'customer_key' is a required property")
    partner = find_partner(call, body["partner_key"])
    row: Row = {name: body[name] for name in STORED if name in body}
    row["partner_key"] = partner["partner_key"]
    return row | custom.taken_from(body, row, WRITTEN_BY_META)


def changed(call: Call, row: Row) -> Row:
    changes: Row = {name: call.body[name] for name in STORED if name in call.body}
    return changes | custom.taken_from(call.body, row, WRITTEN_BY_META)


def count(world: World, row: Row) -> None:
    """A partnership's ``stats`` say how many customers it has brought."""
    partner = world["partnerships"].find("partner_key", row["partner_key"])
    if partner is not None:
        partner["customer_count"] = partner.get("customer_count", 0) + 1


def render(world: World, row: Row, behaviour: Behaviour) -> dict[str, Any]:
    partner = world["partnerships"].find("partner_key", row.get("partner_key"))
    shown = {
        "key": row["key"],
        "customer_key": row.get("customer_key"),
        "email": row.get("email"),
        "name": row.get("name"),
        "partner_key": row.get("partner_key"),
        "partnership_key": partner and partner["key"],
        "provider_key": row.get("provider_key"),
        "source_type": row.get("source_type"),
        "source_key": row.get("source_key"),
        "test": world.test,
        "created_at": row["created_at"],
        "updated_at": row["updated_at"],
        **custom.shown(row, behaviour, BUILT_IN),
    }
    return shown | ({"archived": row.get("archived", False)} if behaviour.archived_flag else {})


def nested(row: Row | None) -> dict[str, Any] | None:
    """A customer inside another object, where its own key is called ``external_key``."""
    if row is None:
        return None
    return {
        "key": row["key"],
        "email": row.get("email"),
        "name": row.get("name"),
        "external_key": row.get("customer_key"),
    }


CUSTOMERS = Resource(
    name="customers",
    prefix="cus_",
    render=render,
    sample=sample,
    new=new,
    changed=changed,
    on_add=count,
    creating=CREATING,
    updating=UPDATING,
    natural="customer_key",
    has_unique_email=True,
    named_by=("customer_key", "email"),
    read_by=lambda behaviour: tuple(NAMES[name] for name in behaviour.customer_paths),
    write_by=lambda behaviour: tuple(NAMES[name] for name in behaviour.customer_paths),
    filters={
        "group": in_group,
        "partner_key": equals("partner_key"),
        "partnership_key": of_partnership,
        "customer_key": equals("customer_key"),
    },
    has_total=True,
    deletable=True,
    settable=("source_type", "source_key", "mdata"),
    sent_only=("member_key",),
)
