"""Form templates: the custom fields of leads, deals and others (docs.partnerstack.com/reference)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..behaviour import Behaviour
from ..collection import Row
from ..custom import form_field
from ..paging import page
from ..resource import Resource
from ..world import Call, World
from .filters import equals

TYPES = ("deal", "lead")


def sample(world: World, number: int) -> Row:
    kind = TYPES[number % len(TYPES)]
    return {"name": f"{kind}_form", "title": f"New {kind}", "type": kind}


def render(world: World, row: Row, behaviour: Behaviour) -> dict[str, Any]:
    fields = [
        form_field(position, name, None, "input") for position, name in enumerate(("first_name", "last_name"))
    ]
    return {
        "key": row["key"],
        "name": row["name"],
        "title": row.get("title"),
        "description": row.get("description"),
        "type": row["type"],
        "fields": fields,
        "groups": [],
        "created_at": row["created_at"],
        "updated_at": row["updated_at"],
    }


def list_for(kind: str, call: Call) -> dict[str, Any]:
    """A list of the templates of one kind."""
    return page(replace(call, query={**call.query, "target_type": [kind]}), FORM_TEMPLATES)


def list_for_deals(call: Call) -> list[Any]:
    """The one list that is not in an envelope with ``items``."""
    found = list_for("deal", replace(call, query={**call.query, "limit": ["250"]}))
    return list(found["items"])


FORM_TEMPLATES = Resource(
    name="form_templates",
    prefix="mold_",
    render=render,
    sample=sample,
    filters={"target_type": equals("type"), "mold_key": equals("key")},
    settable=("name", "title", "description", "type"),
)
