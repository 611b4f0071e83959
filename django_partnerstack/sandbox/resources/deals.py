"""Deals (docs.partnerstack.com/reference/patch_deals; the assignment and file routes have no ``v2``)."""

from __future__ import annotations

from typing import Any

from .. import custom
from ..behaviour import Behaviour
from ..collection import Row
from ..replies import Refusal
from ..resource import Resource
from ..schema import FIELDS, INT32, META, nullable, text
from ..verbs import writable
from ..world import Call, World
from .filters import equals
from .groups import STAGES, in_group
from .partnerships import find_group, find_partner

SOURCES = ["partner", "vendor"]
CUSTOM = {"fields": FIELDS, "field_data": META, "meta": META}
STORED = {
    "partner_key": text(),
    "group_key": text(),
    "source": nullable("string", enum=[*SOURCES, None]),
    "account_name": text(null=True),
    "amount": INT32,
    "close_date": nullable("string", format="date"),
    "contact_first_name": text(null=True),
    "contact_last_name": text(null=True),
    "customer_key": text(null=True),
    "external_key": text(null=True),
    "lost_reason": text(null=True),
    "mold_key": text(null=True),
    "stage": text(enum=list(STAGES)),
    "team": META,
    "team_member": META,
}
BODY = {"type": ["object"], "properties": {**STORED, **CUSTOM}}


def sample(world: World, number: int) -> Row:
    partners = world["partnerships"].orders["created_at"]
    return {
        "partner_key": partners[world.random.randrange(len(partners))]["partner_key"],
        "source": "partner",
        "external_key": f"deal-{number}",
        "account_name": f"Account {number}",
        "amount": world.random.randrange(10_000, 1_000_000),
        "close_date": "2025-01-31",
        "stage": STAGES[number % len(STAGES)],
    }


def new(call: Call) -> Row:
    row = {name: call.body[name] for name in STORED if name in call.body}
    row["source"] = row.get("source") or "partner"
    owner = "partner_key" if row["source"] == "partner" else "group_key"
    other = "group_key" if owner == "partner_key" else "partner_key"
    if row.get(owner) is None:
        raise Refusal(400, f"{owner!r} is a required property")
    if row.get(other) is not None:
        raise Refusal(400, "Exactly one of partner_key, group_key must be given, not 2")
    row.setdefault("stage", STAGES[0])
    return row | _checked(call) | custom.taken_from(call.body, row)


def changed(call: Call, row: Row) -> Row:
    sent = {name: call.body[name] for name in STORED if name in call.body}
    return sent | _checked(call) | custom.taken_from(call.body, row)


def _checked(call: Call) -> Row:
    """What the body refers to, if it is there."""
    found: Row = {}
    if call.body.get("partner_key") is not None:
        found["partner_key"] = find_partner(call, call.body["partner_key"])["partner_key"]
    if call.body.get("group_key") is not None:
        found["group_key"] = find_group(call, call.body["group_key"])
    return found


def render(world: World, row: Row, behaviour: Behaviour) -> dict[str, Any]:
    return {
        "key": row["key"],
        **{name: row.get(name) for name in STORED},
        "archived": row.get("archived", False),
        "created_at": row["created_at"],
        "updated_at": row["updated_at"],
        **custom.shown(row, behaviour),
    }


def assign(call: Call) -> dict[str, Any]:
    """Give a deal to a partnership and a team of it."""
    row = writable(call, DEALS)
    partner = call.world["partnerships"].find("key", call.keys["partnership_key"])
    if partner is None:
        raise Refusal(400, f"Partnership '{call.keys['partnership_key']}' not found")
    team = {"key": call.keys["stack_key"], "name": None}
    fields = {"partner_key": partner["partner_key"], "team": team, "updated_at": call.now}
    call.world["deals"].change(row, fields)
    call.took_effect("deals.assign", DEALS.natural_key(row))
    return render(call.world, row, call.behaviour)


def list_files(call: Call) -> dict[str, Any]:
    return {"deal_files": writable(call, DEALS).get("files") or []}


def get_file(call: Call) -> dict[str, Any]:
    files = writable(call, DEALS).get("files") or []
    found = next((item for item in files if item.get("key") == call.keys["file_key"]), None)
    if found is None:
        raise Refusal(404, f"File '{call.keys['file_key']}' not found")
    return {"url": f"https://files.example/{found['key']}"}


DEALS = Resource(
    name="deals",
    prefix="deal_",
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
    filters={"group": in_group, "partner_key": equals("partner_key"), "customer_key": equals("customer_key")},
    settable=("mdata", "files"),
)
