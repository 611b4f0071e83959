"""Actions: named events of customers or partners (docs.partnerstack.com/reference/post_actions)."""

from __future__ import annotations

from typing import Any

from ..api.call import Call
from ..api.references import COMPANY, of_customer, of_partnership
from ..api.resource import Resource, equals
from ..api.schema import integer, text
from ..behaviour.switches import Behaviour
from ..storage.database import Database
from ..storage.table import Row

TARGETS = ("customer", "partnership")
TARGET_KEYS = {"customer": ("customer_key", "key"), "partnership": ("partner_key", "key")}

CREATE_SCHEMA = {
    "type": ["object"],
    "required": ["type", "value", "target_type", "target_key"],
    "properties": {
        "type": text(255, 1),
        "value": integer(1, 2**31 - 1),
        "target_type": {"type": ["string"], "enum": list(TARGETS)},
        "target_key": text(255, 1),
        "external_key": text(null=True),
    },
}


def seed_row(db: Database, number: int) -> Row:
    customers = db["customers"].orders["created_at"]
    row = {"type": "demo_booked", "value": 1, "target_type": "customer", "target_key": "nobody"}
    if not customers:
        return row
    customer = customers[db.random.randrange(len(customers))]
    found = {"customer": customer["key"], "partner_key": customer["partner_key"]}
    return {**row, **found, "target_key": customer["customer_key"]}


def create(call: Call) -> Row | None:
    row = {name: call.body[name] for name in CREATE_SCHEMA["properties"] if name in call.body}
    target = find_target(call)
    if target is None:
        if call.behaviour.unknown_action_target == "ignore":
            return None
        raise call.unknown_reference(f"{row['target_type'].capitalize()} '{row['target_key']}' not found")
    customer = target["key"] if row["target_type"] == "customer" else None
    return row | {"customer": customer, "partner_key": target.get("partner_key")}


def find_target(call: Call) -> Row | None:
    kind, key = call.body["target_type"], call.body["target_key"]
    collection = call.db[kind + "s"]
    found = (row for name in TARGET_KEYS[kind] if (row := collection.find(name, key)) is not None)
    return next((row for row in found if not row.get("archived") and call.can_refer_to(row)), None)


def archive_rewards(call: Call, row: Row) -> None:
    """The rewards of an action are archived with it."""
    rewards = call.db["rewards"]
    for reward in [item for item in rewards.orders["created_at"] if item.get("action") == row["key"]]:
        rewards.change(reward, {"archived": True, "updated_at": call.now})


def render(db: Database, row: Row, behaviour: Behaviour) -> dict[str, Any]:
    partner = db["partnerships"].find("partner_key", row.get("partner_key"))
    customer = row.get("customer")
    return {
        "type": row["type"],
        "value": row["value"],
        "target_type": row["target_type"],
        "target_key": row["target_key"],
        "external_key": row.get("external_key"),
        "partnership_key": partner and partner["key"],
        "company": COMPANY,
        "customer": {"key": customer, "sub_ids": []} if customer else None,
    }


ACTIONS = Resource(
    name="actions",
    key_prefix="act_",
    render=render,
    seed_row=seed_row,
    command_count=50,
    create=create,
    create_schema=CREATE_SCHEMA,
    natural_key="external_key",
    is_natural_key_unique=lambda behaviour: behaviour.unique_action_keys,
    lookup_fields=("external_key",),
    removable="archive",
    after_remove=archive_rewards,
    filters={"partnership_key": of_partnership, "customer_key": of_customer, "action_type": equals("type")},
    has_total=True,
    extra_fields=("customer", "partner_key"),
)
