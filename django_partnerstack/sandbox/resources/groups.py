"""Groups of partnerships (docs.partnerstack.com/reference/get_v2-groups)."""

from __future__ import annotations

import re
from typing import Any

from ..api.resource import Predicate, Resource, any_of
from ..behaviour.switches import Behaviour
from ..storage.database import Database
from ..storage.table import Row

FEATURES = {
    "application_enabled": True,
    "deals_enabled": True,
    "disable_link_create": False,
    "leads_enabled": True,
}
STAGES = ("qualified", "proposal", "won", "lost")


def slug(name: str) -> str:
    """A group's name as in the filter ``group``: lower case, without spaces and special characters."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def seed_row(db: Database, number: int) -> Row:
    name = "Default" if number == 0 else f"Group {number}"
    return {"name": name, "default": number == 0}


def render(db: Database, row: Row, behaviour: Behaviour) -> dict[str, Any]:
    return {
        "name": row["name"],
        "slug": row.get("slug") or slug(row["name"]),
        "default": row.get("default", False),
        "features": row.get("features") or FEATURES,
    }


def default_key(db: Database) -> str | None:
    """Key of the group of new partnerships."""
    rows = db["groups"].orders["created_at"]
    return next((row["key"] for row in rows if row.get("default")), None)


def keys_of(db: Database, names: list[str]) -> set[str]:
    """Keys of the groups with the given names or slugs."""
    wanted = {slug(name) for name in any_of(names)}
    rows = db["groups"].orders["created_at"]
    return {row["key"] for row in rows if slug(row.get("slug") or row["name"]) in wanted}


def in_group(db: Database, names: list[str]) -> Predicate:
    """The filter ``group`` for rows with a ``group_key`` or a ``partner_key``."""
    keys = keys_of(db, names)
    partnerships = db["partnerships"]

    def test(row: Row) -> bool:
        partner = partnerships.find("partner_key", row.get("partner_key"))
        return (row.get("group_key") or (partner or {}).get("group_key")) in keys

    return test


GROUPS = Resource(
    name="groups",
    key_prefix="grup_",
    render=render,
    seed_row=seed_row,
    default_count=2,
    command_count=3,
    seeded_in_both_modes=True,
    extra_fields=("name", "slug", "default", "features"),
)
