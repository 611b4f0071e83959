"""Partnerships (docs.partnerstack.com/reference/post_partnerships-1 and the vendor's list page)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..api.call import Call
from ..api.custom_fields import render_custom_fields, stored_values
from ..api.operations import get_object
from ..api.ordering import EmptyPage
from ..api.pagination import PAGING, check_parameters
from ..api.references import find_group
from ..api.resource import Predicate, Resource, equals, parts
from ..api.schema import CUSTOM_FIELDS, nullable, text
from ..behaviour.switches import Behaviour
from ..http.routing import route
from ..replies import Refusal
from ..storage.database import Database
from ..storage.table import Row
from .groups import GROUPS, default_key, in_group
from .stats import stats_of

#: The partner that always exists in test mode, and the partner in production mode unless others are seeded.
TEST_PARTNER_KEY = "gstest"
PRODUCTION_PARTNER_KEY = "sandboxpartner"
STATUSES = ("approved", "pending", "declined")
PATH_KEYS = {"internal": "key", "external": "partner_key", "email": "email"}

STORED = {
    "email": text(255, format="email"),
    "first_name": text(50),
    "last_name": text(50),
    "group_key": text(),
    "partner_key": text(),
    "manager_email": text(null=True),
    "manager_name": text(null=True),
    "tags": nullable("array", items=text()),
}
CREATE_SCHEMA = {"type": ["object"], "required": ["email"], "properties": {**STORED, **CUSTOM_FIELDS}}
UPDATE_SCHEMA = {
    "type": ["object"],
    "properties": {
        "group_key": text(),
        "manager_email": text(null=True),
        "tier_key": text(null=True),
        **CUSTOM_FIELDS,
    },
}


def seed_row(db: Database, number: int) -> Row:
    groups = db["groups"].orders["created_at"]
    return {
        "partner_key": f"partner{number}",
        "email": f"partner{number}@partners.example",
        "first_name": "Partner",
        "last_name": str(number),
        "group_key": groups[number % len(groups)]["key"] if groups else None,
        "approved_status": STATUSES[0] if number % 10 else STATUSES[1],
        "claimed": number % 2 == 0,
    }


def permanent_rows(db: Database, seeded: list[Row]) -> Iterator[Row]:
    """``gstest`` in test mode; in production mode one partner for customers, unless others are seeded."""
    if db.test or not seeded:
        partner_key = TEST_PARTNER_KEY if db.test else PRODUCTION_PARTNER_KEY
        groups = db["groups"].orders["created_at"]
        yield {
            "key": db.new_key("part_"),
            "partner_key": partner_key,
            "email": f"{partner_key}@partners.example",
            "first_name": "Test" if db.test else "Sandbox",
            "last_name": "Partner",
            "group_key": groups[0]["key"] if groups else None,
            "approved_status": "approved",
            "claimed": True,
        }


def create(call: Call) -> Row:
    body = call.body
    row = {name: body[name] for name in STORED if name in body}
    row.setdefault("partner_key", "partner" + call.db.new_key("").lower())
    sent = body.get("group_key")
    row["group_key"] = find_group(call, sent) if sent else default_key(call.db)
    return row | stored_values(call, row) | {"approved_status": "approved", "claimed": False}


def update(call: Call, row: Row) -> Row:
    changes = {name: value for name, value in call.body.items() if name in ("manager_email", "tier_key")}
    if "group_key" in call.body:
        changes["group_key"] = find_group(call, call.body["group_key"])
    return changes | stored_values(call, row)


def render(db: Database, row: Row, behaviour: Behaviour) -> dict[str, Any]:
    group = db["groups"].find("key", row.get("group_key"))
    manager = {"manager_email": row.get("manager_email"), "manager_name": row.get("manager_name")}
    tier = row.get("tier_key")
    missing = "" if behaviour.missing_names == "empty" else None
    return {
        "partner_key": row.get("partner_key"),
        "email": row["email"],
        **{name: row.get(name) or missing for name in ("first_name", "last_name")},
        "group": group and GROUPS.show(db, group, behaviour),
        "team": row.get("team"),
        "manager": manager if any(manager.values()) else None,
        "joined_at": row.get("joined_at") or row["created_at"],
        "tags": row.get("tags") or [],
        "stats": stats_of(db, row.get("partner_key")),
        "address": row.get("address"),
        "approved_status": row.get("approved_status"),
        "claimed": row.get("claimed", False),
        "tier": {"key": tier, "name": tier} if tier else None,
        **render_custom_fields(row, behaviour),
    }


def list_links(call: Call) -> dict[str, Any]:
    """The links of a partner; in the sandbox each partner has one link."""
    found = get_object(call, PARTNERSHIPS)
    nothing: dict[str, Any] = {"has_more": False, "items": []}
    try:
        check_parameters(call, PAGING)
    except EmptyPage:
        return nothing
    link = {
        "key": "link_" + found["key"].removeprefix("part_"),
        "dest": "https://www.example.com/",
        "url": f"https://go.example.com/{found['partner_key']}",
        "created_at": found["created_at"],
        "updated_at": found["created_at"],
    }
    is_after = "starting_after" in call.query or "ending_before" in call.query
    return nothing if is_after else {**nothing, "items": [link]}


def has_approved_status(db: Database, values: list[str]) -> Predicate:
    wrong = next((value for value in parts(values) if value not in STATUSES), None)
    if wrong is not None:
        raise Refusal(400, f"{wrong!r} is not one of {list(STATUSES)!r}")
    return equals("approved_status")(db, values)


PARTNERSHIPS = Resource(
    name="partnerships",
    key_prefix="part_",
    render=render,
    seed_row=seed_row,
    permanent_rows=permanent_rows,
    command_count=20,
    readable=True,
    create=create,
    update=update,
    create_schema=CREATE_SCHEMA,
    update_schema=UPDATE_SCHEMA,
    removable="archive",
    extra_routes=(
        route("GET", "/api/v2/links/partnership/{key}", list_links, "Links retrieved successfully"),
    ),
    natural_key="partner_key",
    has_unique_email=True,
    has_archived_field=lambda behaviour: behaviour.archived_flag,
    lookup_fields=("partner_key", "email"),
    read_keys=lambda behaviour: ("partner_key", "key", "email"),
    write_keys=lambda behaviour: tuple(PATH_KEYS[name] for name in behaviour.partnership_write_paths),
    filters={
        "group": in_group,
        "email": equals("email"),
        "approved_status": has_approved_status,
        "partnership_key": equals("key"),
        "include_archived": lambda db, values: lambda row: True,
    },
    extra_fields=("approved_status", "claimed", "team", "address", "mdata", "joined_at"),
)
