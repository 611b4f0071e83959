"""Leads (docs.partnerstack.com/reference/post_leads-1 and patch_leads)."""

from __future__ import annotations

from typing import Any

from .. import custom
from ..behaviour import Behaviour
from ..collection import Row
from ..replies import Refusal
from ..resource import Resource
from ..schema import FIELDS, INT32, META, nullable, text
from ..world import Call, World
from .filters import equals
from .groups import in_group
from .partnerships import find_group, find_partner

STATUSES = ["open", "closed", "dead", "closed won", "closed lost"]
CUSTOM = {"fields": FIELDS, "field_data": META, "meta": META}
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
BODY = {"type": ["object"], "properties": {**STORED, **CUSTOM}}


def sample(world: World, number: int) -> Row:
    partners = world["partnerships"].orders["created_at"]
    return {
        "external_key": f"lead-{number}",
        "partner_key": partners[world.random.randrange(len(partners))]["partner_key"],
        "status": STATUSES[number % len(STATUSES)],
        "amount": world.random.randrange(10_000, 1_000_000),
        "mdata": {"first_name": "Lead", "last_name": str(number)},
    }


def new(call: Call) -> Row:
    older_page = call.behaviour.lead_requires == "older_page"
    for name in ("external_key", "partner_key", "status") if older_page else ("partner_key",):
        if name not in call.body:
            raise Refusal(400, f"{name!r} is a required property")
    if older_page and not set(CUSTOM) & set(call.body):
        raise Refusal(400, "'meta' is a required property")
    return {"status": "open", **changed(call, {})}


def changed(call: Call, row: Row) -> Row:
    sent = {name: call.body[name] for name in STORED if name in call.body}
    if sent.get("partner_key") is not None:
        sent["partner_key"] = find_partner(call, sent["partner_key"])["partner_key"]
    if sent.get("group_key") is not None:
        sent["group_key"] = find_group(call, sent["group_key"])
    return sent | custom.taken_from(call.body, row)


def render(world: World, row: Row, behaviour: Behaviour) -> dict[str, Any]:
    return {
        "key": row["key"],
        **{name: row.get(name) for name in STORED},
        "archived": row.get("archived", False),
        "created_at": row["created_at"],
        "updated_at": row["updated_at"],
        **custom.shown(row, behaviour),
    }


LEADS = Resource(
    name="leads",
    prefix="lead_",
    render=render,
    sample=sample,
    new=new,
    changed=changed,
    creating=BODY,
    updating=BODY,
    natural="external_key",
    named_by=("external_key",),
    read_by=lambda behaviour: ("key", "external_key"),
    write_by=lambda behaviour: ("key", "external_key"),
    filters={"group": in_group, "partner_key": equals("partner_key")},
    settable=("mdata",),
)
