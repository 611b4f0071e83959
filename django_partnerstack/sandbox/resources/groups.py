"""Groups of partnerships (docs.partnerstack.com/reference/get_v2-groups)."""

from __future__ import annotations

import re
from typing import Any

from ..behaviour import Behaviour
from ..collection import Row
from ..resource import Predicate, Resource
from ..world import World

FEATURES = {
    "application_enabled": True,
    "deals_enabled": True,
    "disable_link_create": False,
    "leads_enabled": True,
}
STAGES = ("qualified", "proposal", "won", "lost")


def slug(name: str) -> str:
    """A group's name as the ``group`` filter takes it: without spaces and special characters."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def sample(world: World, number: int) -> Row:
    name = "Default" if number == 0 else f"Group {number}"
    return {"name": name, "default": number == 0}


def render(world: World, row: Row, behaviour: Behaviour) -> dict[str, Any]:
    return {
        "key": row["key"],
        "name": row["name"],
        "slug": row.get("slug") or slug(row["name"]),
        "default": row.get("default", False),
        "archived": row.get("archived", False),
        "features": row.get("features") or FEATURES,
        "created_at": row["created_at"],
        "updated_at": row["updated_at"],
    }


def default_key(world: World) -> str | None:
    """Key of the group that a partnership is in unless it is put in another."""
    rows = world["groups"].orders["created_at"]
    return next((row["key"] for row in rows if row.get("default")), None)


def keys_of(world: World, names: list[str]) -> set[str]:
    """Keys of the groups that the values of a ``group`` parameter stand for."""
    wanted = {slug(name) for name in names}
    rows = world["groups"].orders["created_at"]
    return {row["key"] for row in rows if slug(row.get("slug") or row["name"]) in wanted}


def in_group(world: World, names: list[str]) -> Predicate:
    """The ``group`` filter for rows that have a ``group_key`` or a ``partner_key``."""
    keys = keys_of(world, names)
    partnerships = world["partnerships"]

    def test(row: Row) -> bool:
        partner = partnerships.find("partner_key", row.get("partner_key"))
        return (row.get("group_key") or (partner or {}).get("group_key")) in keys

    return test


GROUPS = Resource(
    name="groups",
    prefix="grup_",
    render=render,
    sample=sample,
    settable=("name", "slug", "default", "features"),
)
