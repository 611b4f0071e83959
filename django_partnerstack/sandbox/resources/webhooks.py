"""Subscriptions to webhooks (docs.partnerstack.com/reference, "webhooks"). Nothing is delivered."""

from __future__ import annotations

from typing import Any

from ..behaviour import Behaviour
from ..collection import Row
from ..replies import Refusal
from ..resource import Resource
from ..schema import text
from ..world import Call, World

BODY = {
    "type": ["object"],
    "properties": {
        "target_url": text(2048, format="uri"),
        "target": text(2048, format="uri"),
        "events": {"type": ["array"], "items": text(255, 1)},
    },
}


def sample(world: World, number: int) -> Row:
    return {"target_url": f"https://site{number}.example/hook/", "events": ["customer.created"]}


def new(call: Call) -> Row:
    for name in (call.behaviour.webhook_url_field, "events"):
        if name not in call.body:
            raise Refusal(400, f"{name!r} is a required property")
    return changed(call, {})


def changed(call: Call, row: Row) -> Row:
    names = {call.behaviour.webhook_url_field: "target_url", "events": "events"}
    return {stored: call.body[sent] for sent, stored in names.items() if sent in call.body}


def render(world: World, row: Row, behaviour: Behaviour) -> dict[str, Any]:
    return {
        "key": row["key"],
        behaviour.webhook_url_field: row["target_url"],
        "events": row["events"],
        "archived": row.get("archived", False),
        "created_at": row["created_at"],
        "updated_at": row["updated_at"],
    }


WEBHOOKS = Resource(
    name="webhooks",
    prefix="webh_",
    render=render,
    sample=sample,
    new=new,
    changed=changed,
    creating=BODY,
    updating=BODY,
    sent_only=("target",),
)
