"""Webhook subscriptions (docs.partnerstack.com/reference, "webhooks"). See ``sandbox.webhooks``."""

from __future__ import annotations

from typing import Any

from ..api.call import Call
from ..api.resource import Resource
from ..api.schema import text
from ..behaviour.switches import Behaviour
from ..replies import Refusal
from ..storage.database import Database
from ..storage.table import Row

SCHEMA = {
    "type": ["object"],
    "properties": {
        "target_url": text(2048, format="uri"),
        "target": text(2048, format="uri"),
        "events": {"type": ["array"], "items": text(255, 1)},
    },
}


def seed_row(db: Database, number: int) -> Row:
    return {"target_url": f"https://site{number}.example/hook/", "events": ["customer.created"]}


def create(call: Call) -> Row:
    for name in (call.behaviour.webhook_url_field, "events"):
        if name not in call.body:
            raise Refusal(400, f"{name!r} is a required property")
    return update(call, {})


def update(call: Call, row: Row) -> Row:
    unknown = [name for name in call.body.get("events", ()) if name not in call.behaviour.webhook_events]
    if unknown:
        raise Refusal(400, f"{unknown[0]!r} is not one of {list(call.behaviour.webhook_events)!r}")
    names = {call.behaviour.webhook_url_field: "target_url", "events": "events"}
    return {stored: call.body[sent] for sent, stored in names.items() if sent in call.body}


def render(db: Database, row: Row, behaviour: Behaviour) -> dict[str, Any]:
    return {
        behaviour.webhook_url_field: row["target_url"],
        "events": row["events"],
    }


WEBHOOKS = Resource(
    name="webhooks",
    key_prefix="webh_",
    render=render,
    seed_row=seed_row,
    readable=True,
    removable="archive",
    create=create,
    update=update,
    create_schema=SCHEMA,
    update_schema=SCHEMA,
    unstored_fields=("target",),
)
