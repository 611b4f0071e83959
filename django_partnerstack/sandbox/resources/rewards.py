"""Rewards, which are what partners earn (docs.partnerstack.com/reference/get_v2-rewards-2)."""

from __future__ import annotations

from typing import Any

from ..behaviour import Behaviour
from ..collection import Row
from ..resource import CREATED, Predicate, Resource
from ..schema import integer, text
from ..verbs import add
from ..world import Call, World
from .customers import nested
from .filters import equals

STATUSES = ("hold", "pending", "approved", "declined", "paid", "scheduled")
TARGETS = ("customer", "transaction", "manual")
#: Of a transaction's amount, in per cent. An offer that the sandbox makes up.
SHARE = 10
OFFER = {"key": "offr_sandboxOffer00", "description": f"{SHARE} % of every transaction"}

CREATING = {
    "type": ["object"],
    "required": ["amount", "description", "target"],
    "properties": {
        "amount": integer(-(10**8), 10**8),
        "description": text(),
        "currency": text(3, 3),
        "target": {
            "type": ["object"],
            "required": ["type", "key"],
            "properties": {"type": {"type": ["string"], "enum": list(TARGETS)}, "key": text(255, 1)},
        },
    },
}


def sample(world: World, number: int) -> Row:
    transactions = world["transactions"].orders["created_at"]
    status = STATUSES[number % len(STATUSES)]
    if not transactions:
        return {"amount": 1000, "reward_status": status, "description": "Bonus"}
    transaction = transactions[world.random.randrange(len(transactions))]
    return {**_share(world, transaction), "reward_status": status}


def _share(world: World, transaction: Row) -> Row:
    customer = world["customers"].find("key", transaction.get("customer")) or {}
    return {
        "amount": transaction["amount"] * SHARE // 100,
        "currency": transaction["currency"],
        "description": OFFER["description"],
        "customer": transaction.get("customer"),
        "transaction": transaction["key"],
        "partner_key": customer.get("partner_key"),
        "offer": OFFER,
    }


def new(call: Call) -> Row:
    target = call.body["target"]
    row: Row = {name: call.body[name] for name in ("amount", "description", "currency") if name in call.body}
    row["reward_status"] = "pending"
    if target["type"] == "manual":
        return row | {"partner_key": target["key"]}
    collection = call.world[target["type"] + "s"]
    names = ("key", "customer_key") if target["type"] == "customer" else ("key",)
    found = next((item for name in names if (item := collection.find(name, target["key"]))), None)
    if found is None or not call.can_refer_to(found):
        raise call.refuse_unknown(f"{target['type'].capitalize()} '{target['key']}' not found")
    if target["type"] == "transaction":
        return _share(call.world, found) | row
    return row | {"customer": found["key"], "partner_key": found.get("partner_key")}


def reward_transaction(call: Call, transaction: Row) -> None:
    """Give the partner a share, as for every transaction that is not a test (reference/auth)."""
    if call.world.test or transaction["amount"] <= 0:
        return
    row = add(call, REWARDS, {**_share(call.world, transaction), "reward_status": "pending"})
    call.took_effect("rewards.create", row["key"])


def render(world: World, row: Row, behaviour: Behaviour) -> dict[str, Any]:
    partner = world["partnerships"].find("partner_key", row.get("partner_key"))
    transaction = world["transactions"].find("key", row.get("transaction"))
    action = world["actions"].find("key", row.get("action"))
    group = partner and world["groups"].find("key", partner.get("group_key"))
    return {
        "key": row["key"],
        "amount": row["amount"],
        "currency": row.get("currency", "USD"),
        "description": row.get("description"),
        "reward_status": row["reward_status"],
        "action": action and {name: action[name] for name in ("key", "type", "value")},
        "customer": nested(world["customers"].find("key", row.get("customer"))),
        "invoice": row.get("invoice"),
        "offer": row.get("offer"),
        "partnership": partner
        and {
            "key": partner["key"],
            "name": f"{partner.get('first_name') or ''} {partner.get('last_name') or ''}".strip(),
            "group": group and {"key": group["key"], "name": group["name"]},
            "email": partner["email"],
        },
        "transaction": transaction and {name: transaction[name] for name in ("key", "amount", "currency")},
        "trigger": row.get("trigger"),
        "created_at": row["created_at"],
        "updated_at": row["updated_at"],
    }


def listed(call: Call) -> Predicate:
    asked = "status" in call.query or call.behaviour.scheduled_rewards_listed
    return lambda row: asked or row["reward_status"] != "scheduled"


REWARDS = Resource(
    name="rewards",
    prefix="rwrd_",
    render=render,
    sample=sample,
    new=new,
    creating=CREATING,
    listed=listed,
    filters={"status": equals("reward_status")},
    bounds=("created",),
    orders=CREATED,
    settable=(
        "reward_status",
        "customer",
        "transaction",
        "action",
        "partner_key",
        "invoice",
        "offer",
        "trigger",
    ),
    sent_only=("target",),
)
