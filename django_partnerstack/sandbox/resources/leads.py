"""Leads (docs.partnerstack.com/reference/post_leads-1 and patch_leads)."""

from __future__ import annotations

from typing import Any

from ..api.call import Call
from ..api.custom_fields import render_custom_fields, stored_values
from ..api.references import partner_and_group
from ..api.resource import Resource, equals
from ..api.schema import CUSTOM_FIELDS, INT32, META, nullable, text
from ..behaviour.switches import Behaviour
from ..http.routing import route
from ..replies import Refusal
from ..storage.database import Database
from ..storage.table import Row
from .customers import convert
from .groups import in_group

STATUSES = ["open", "closed", "dead", "closed won", "closed lost"]
#: The fields of the form for leads.
FORM = ("first_name", "last_name")
STORED = {
    "external_key": text(),
    "partner_key": text(),
    "status": {"type": ["string"], "enum": STATUSES},
    "amount": INT32,
    "approved": nullable("boolean"),
    "group_key": text(null=True),
    "mold_key": text(null=True),
    "customer_key": text(null=True),
    "stage_data": META,
}
SCHEMA = {"type": ["object"], "properties": {**STORED, **CUSTOM_FIELDS}}


def seed_row(db: Database, number: int) -> Row:
    partners = db["partnerships"].orders["created_at"]
    return {
        "external_key": f"lead-{number}",
        "partner_key": partners[db.random.randrange(len(partners))]["partner_key"],
        "status": STATUSES[number % len(STATUSES)],
        "amount": db.random.randrange(10_000, 1_000_000),
        "mdata": {"first_name": "Lead", "last_name": str(number)},
    }


def create(call: Call) -> Row:
    older_page = call.behaviour.lead_requires == "older_page"
    for name in ("external_key", "partner_key", "status") if older_page else ("partner_key",):
        if name not in call.body:
            raise Refusal(400, f"{name!r} is a required property")
    if older_page and not set(CUSTOM_FIELDS) & set(call.body):
        raise Refusal(400, "'meta' is a required property")
    return {"status": "open", **update(call, {})}


def update(call: Call, row: Row) -> Row:
    sent = {name: call.body[name] for name in STORED if name in call.body}
    return sent | partner_and_group(call) | stored_values(call, row, form=FORM)


def render(db: Database, row: Row, behaviour: Behaviour) -> dict[str, Any]:
    return {
        **{name: row.get(name) for name in STORED},
        **render_custom_fields(row, behaviour),
    }


def convert_lead(call: Call) -> dict[str, Any]:
    return convert(call, LEADS)


LEADS = Resource(
    name="leads",
    key_prefix="lead_",
    render=render,
    seed_row=seed_row,
    command_count=20,
    readable=True,
    create=create,
    update=update,
    create_schema=SCHEMA,
    update_schema=SCHEMA,
    removable="archive",
    extra_routes=(
        route(
            "POST", "/api/v2/leads/{key}/convert", convert_lead, "Lead converted successfully", creates=True
        ),
    ),
    natural_key="external_key",
    lookup_fields=("external_key",),
    read_keys=lambda behaviour: ("key", "external_key"),
    filters={
        "group": in_group,
        "partner_key": equals("partner_key"),
        "customer_key": equals("customer_key"),
        "lead_key": equals("key", "external_key"),
    },
    extra_fields=("mdata",),
)
