"""Partnerships (docs.partnerstack.com/reference/post_partnerships-1 and the vendor's list page)."""

from __future__ import annotations

from typing import Any

from .. import custom
from ..behaviour import Behaviour
from ..collection import Row
from ..replies import Refusal
from ..resource import Predicate, Resource
from ..schema import FIELDS, META, nullable, text
from ..world import Call, World
from .filters import equals
from .groups import GROUPS, default_key, in_group

TEST_PARTNER_KEY = "gstest"
STATUSES = ("approved", "pending", "declined")
TAGS = nullable("array", items=text())
CUSTOM = {"fields": FIELDS, "field_data": META, "meta": META}
NAMES = {"internal": "key", "external": "partner_key", "email": "email"}

CREATING = {
    "type": ["object"],
    "required": ["email"],
    "properties": {
        "email": text(255, format="email"),
        "first_name": text(50),
        "last_name": text(50),
        "group_key": text(),
        "partner_key": text(),
        "manager_email": text(null=True),
        "manager_name": text(null=True),
        "tags": TAGS,
        **CUSTOM,
    },
}
UPDATING = {
    "type": ["object"],
    "properties": {
        "group_key": text(),
        "manager_email": text(null=True),
        "tier_key": text(null=True),
        **CUSTOM,
    },
}


def sample(world: World, number: int) -> Row:
    groups = world["groups"].orders["created_at"]
    return {
        "partner_key": f"partner{number}",
        "email": f"partner{number}@partners.example",
        "first_name": "Partner",
        "last_name": str(number),
        "group_key": groups[number % len(groups)]["key"] if groups else None,
        "approved_status": STATUSES[0] if number % 10 else STATUSES[1],
        "claimed": number % 2 == 0,
    }


def new(call: Call) -> Row:
    body = call.body
    row = {name: body[name] for name in CREATING["properties"] if name in body and name not in CUSTOM}
    row.setdefault("partner_key", "partner" + call.world.new_key("").lower())
    sent = body.get("group_key")
    row["group_key"] = find_group(call, sent) if sent else default_key(call.world)
    return row | custom.taken_from(body, row) | {"approved_status": "approved", "claimed": False}


def changed(call: Call, row: Row) -> Row:
    changes = {name: value for name, value in call.body.items() if name in ("manager_email", "tier_key")}
    if "group_key" in call.body:
        changes["group_key"] = find_group(call, call.body["group_key"])
    return changes | custom.taken_from(call.body, row)


def find_group(call: Call, key: str) -> str:
    """The key, if there is such a group; raises Refusal if not."""
    if call.world["groups"].find("key", key) is None:
        raise call.refuse_unknown(f"Group '{key}' not found")
    return key


def render(world: World, row: Row, behaviour: Behaviour) -> dict[str, Any]:
    group = world["groups"].find("key", row.get("group_key"))
    manager = {"manager_email": row.get("manager_email"), "manager_name": row.get("manager_name")}
    tier = row.get("tier_key")
    shown = {
        "key": row["key"],
        "partner_key": row.get("partner_key"),
        "email": row["email"],
        "first_name": row.get("first_name"),
        "last_name": row.get("last_name"),
        "group": group and GROUPS.render(world, group, behaviour),
        "team": row.get("team"),
        "manager": manager if any(manager.values()) else None,
        "joined_at": row["created_at"],
        "tags": row.get("tags") or [],
        "stats": {"CUSTOMER_COUNT": row.get("customer_count", 0)},
        "address": row.get("address"),
        "approved_status": row.get("approved_status"),
        "claimed": row.get("claimed", False),
        "tier": {"key": tier, "name": tier} if tier else None,
        "created_at": row["created_at"],
        "updated_at": row["updated_at"],
        **custom.shown(row, behaviour),
    }
    return shown | ({"archived": row.get("archived", False)} if behaviour.archived_flag else {})


def find_partner(call: Call, partner_key: str) -> Row:
    """The partnership that a body names by its ``partner_key``; raises Refusal if it cannot be used."""
    names = ("partner_key", "key") if call.behaviour.partnership_key_as_partner_key else ("partner_key",)
    for name in names:
        row = call.world["partnerships"].find(name, partner_key)
        if row is not None and not row.get("archived"):
            return row
    if any(call.other_world["partnerships"].find(name, partner_key) for name in names):
        raise _refuse_partner_of_other_mode(call)
    raise call.refuse_unknown(f"Partnership '{partner_key}' not found")


def _refuse_partner_of_other_mode(call: Call) -> Refusal:
    if call.world.test:
        return call.refuse_mixed_modes("Test customers must be created under a test partner")
    return call.refuse_mixed_modes("A test partner cannot have production customers")


def approved_status(world: World, values: list[str]) -> Predicate:
    wrong = next((value for value in values if value not in STATUSES), None)
    if wrong is not None:
        raise Refusal(400, f"{wrong!r} is not one of {list(STATUSES)!r}")
    return equals("approved_status")(world, values)


PARTNERSHIPS = Resource(
    name="partnerships",
    prefix="part_",
    render=render,
    sample=sample,
    new=new,
    changed=changed,
    creating=CREATING,
    updating=UPDATING,
    natural="partner_key",
    has_unique_email=True,
    named_by=("partner_key", "email"),
    read_by=lambda behaviour: ("partner_key", "key", "email"),
    write_by=lambda behaviour: tuple(NAMES[name] for name in behaviour.partnership_write_paths),
    filters={
        "group": in_group,
        "email": equals("email"),
        "approved_status": approved_status,
        "partnership_key": equals("key"),
        "include_archived": lambda world, values: lambda row: True,
    },
    settable=("approved_status", "claimed", "team", "address", "mdata", "customer_count"),
)
