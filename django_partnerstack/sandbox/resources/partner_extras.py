"""What hangs on a partnership: tags, team members, links. The bodies of the first two are not documented."""

from __future__ import annotations

from typing import Any

from ..schema import check, text
from ..verbs import get_object, writable
from ..world import Call
from .partnerships import PARTNERSHIPS, TAGS

TAGS_BODY = {"type": ["object"], "properties": {"tags": TAGS, "add": TAGS, "remove": TAGS}}
MEMBER_BODY = {
    "type": ["object"],
    "required": ["email"],
    "properties": {"email": text(255, 4, format="email"), "first_name": text(50), "last_name": text(50)},
}


def _check(call: Call, schema: dict[str, Any]) -> None:
    check(call.body, schema, reject_unknown=call.behaviour.unknown_fields == "reject")


def change_tags(call: Call) -> dict[str, Any]:
    """``tags`` replaces all; ``add`` and ``remove`` change some."""
    row = writable(call, PARTNERSHIPS)
    _check(call, TAGS_BODY)
    tags = call.body["tags"] or [] if "tags" in call.body else row.get("tags") or []
    removed = set(call.body.get("remove") or ())
    kept = [tag for tag in dict.fromkeys([*tags, *(call.body.get("add") or ())]) if tag not in removed]
    call.world["partnerships"].change(row, {"tags": kept, "updated_at": call.now})
    call.took_effect("partnerships.tags", PARTNERSHIPS.natural_key(row))
    return PARTNERSHIPS.render(call.world, row, call.behaviour)


def add_member(call: Call) -> dict[str, Any]:
    """Invite somebody to a partner's team; the partner goes by any of its keys."""
    found = get_object(call, PARTNERSHIPS)
    _check(call, MEMBER_BODY)
    call.took_effect("partnerships.member", f"{found['partner_key']} {call.body['email']}")
    return {"key": call.world.new_key("memb_"), **call.body, "created_at": call.now, "updated_at": call.now}


def list_links(call: Call) -> dict[str, Any]:
    """A partner's links; here each partner has one."""
    found = get_object(call, PARTNERSHIPS)
    link = {
        "key": "link_" + found["key"].removeprefix("part_"),
        "dest": "https://www.example.com/",
        "url": f"https://go.example.com/{found['partner_key']}",
        "created_at": found["created_at"],
        "updated_at": found["created_at"],
    }
    return {"has_more": False, "items": [link]}
