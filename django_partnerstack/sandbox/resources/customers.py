"""Customers (docs.partnerstack.com/reference/post_customers and patch_customers)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..api.call import Call
from ..api.custom_fields import render_custom_fields, stored_values
from ..api.operations import create_object, writable
from ..api.references import find_partner, of_partnership
from ..api.resource import Resource, equals
from ..api.schema import META, text
from ..behaviour.switches import Behaviour
from ..replies import Refusal
from ..storage.database import Database
from ..storage.table import Row
from .groups import in_group

BUILT_IN = {
    "name": "input",
    "email": "email",
    "company_name": "input",
    "website": "input",
    "phone": "phone",
    "country_iso": "country",
    "source_type": "input",
}
BUILT_IN_WRITABLE = ("name", "email")
STORED = ("customer_key", "email", "name", "provider_key")
PATH_KEYS = {"external": "customer_key", "internal": "key", "email": "email"}
COMMON = {
    "customer_key": text(null=True),
    "email": text(255, 4, format="email"),
    "name": text(100),
    "provider_key": text(null=True),
    "meta": META,
}
CREATE_SCHEMA = {
    "type": ["object"],
    "required": ["email", "partner_key"],
    "properties": {"partner_key": text(), "member_key": text(), **COMMON},
}
UPDATE_SCHEMA = {"type": ["object"], "properties": {"member_key": text(), **COMMON}}
CONVERT_SCHEMA = {
    "type": ["object"],
    "required": ["email"],
    "properties": {"email": text(255, 4, format="email"), "customer_key": text(null=True)},
}


def seed_row(db: Database, number: int) -> Row:
    partners = db["partnerships"].orders["created_at"]
    partner = partners[db.random.randrange(len(partners))]
    row = {
        "customer_key": f"customer-{number}",
        "email": f"customer{number}@customers.example",
        "name": f"Customer {number}",
        "partner_key": partner["partner_key"],
    }
    return row if number % 20 else row | {"mdata": {"plan": "trial"}}


def create(call: Call) -> Row:
    body = call.body
    if call.behaviour.customer_key_required and "customer_key" not in body:
        raise Refusal(400, "'customer_key' is a required property")
    partner = find_partner(call, body["partner_key"])
    row: Row = {name: body[name] for name in STORED if name in body}
    row["partner_key"] = partner["partner_key"]
    return row | stored_values(call, row, built_in=BUILT_IN_WRITABLE)


def update(call: Call, row: Row) -> Row:
    changes: Row = {name: call.body[name] for name in STORED if name in call.body}
    return changes | stored_values(call, row, built_in=BUILT_IN_WRITABLE)


def render(db: Database, row: Row, behaviour: Behaviour) -> dict[str, Any]:
    partner = db["partnerships"].find("partner_key", row.get("partner_key"))
    return {
        "customer_key": row.get("customer_key"),
        "email": row.get("email"),
        "name": row.get("name"),
        "partner_key": row.get("partner_key"),
        "partnership_key": partner and partner["key"],
        "provider_key": row.get("provider_key"),
        "source_type": row.get("source_type"),
        "source_key": row.get("source_key"),
        "test": db.test,
        **render_custom_fields(row, behaviour, BUILT_IN),
    }


CUSTOMERS = Resource(
    name="customers",
    key_prefix="cus_",
    render=render,
    seed_row=seed_row,
    command_count=200,
    readable=True,
    create=create,
    update=update,
    create_schema=CREATE_SCHEMA,
    update_schema=UPDATE_SCHEMA,
    natural_key="customer_key",
    has_unique_email=True,
    has_archived_field=lambda behaviour: behaviour.archived_flag,
    lookup_fields=("customer_key", "email"),
    read_keys=lambda behaviour: tuple(PATH_KEYS[name] for name in behaviour.customer_paths),
    filters={
        "group": in_group,
        "partner_key": equals("partner_key"),
        "partnership_key": of_partnership,
        "customer_key": equals("customer_key"),
    },
    has_total=True,
    removable="delete",
    extra_fields=("source_type", "source_key", "mdata"),
    unstored_fields=("member_key",),
)


def convert(call: Call, resource: Resource) -> dict[str, Any]:
    """
    Create a customer of the partner of a deal or lead, and return the customer.

    docs.partnerstack.com/reference, "convert".
    """
    row = writable(call, resource)
    call.check_body(CONVERT_SCHEMA)
    if row.get("partner_key") is None:
        raise Refusal(400, f"{resource.noun} '{row['key']}' has no partner")
    body = {"customer_key": None, **call.body, "partner_key": row["partner_key"]}
    customer = create_object(replace(call, body=body), CUSTOMERS)
    fields = {"customer_key": customer["customer_key"] or customer["key"], "updated_at": call.now}
    call.db[resource.name].change(row, fields)
    call.count_effect(f"{resource.name}.convert", resource.natural_key_of(row))
    return customer
