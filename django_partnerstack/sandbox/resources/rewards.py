"""Rewards: what partners earn (docs.partnerstack.com/reference/get_v2-rewards-2)."""

from __future__ import annotations

from typing import Any

from ..api.call import Call
from ..api.currencies import known_currency
from ..api.operations import add
from ..api.references import customer_reference, find_partner, of_customer, of_group
from ..api.resource import CREATED, Predicate, Resource, equals
from ..api.schema import integer, text
from ..behaviour.switches import Behaviour
from ..storage.database import Database
from ..storage.table import Row

STATUSES = ("hold", "pending", "approved", "declined", "paid", "scheduled")
TARGETS = ("customer", "transaction", "manual")
#: The commission on a transaction, in percent of its amount. An invented value.
COMMISSION = 10
OFFER = {"key": "offr_sandboxOffer00", "description": f"{COMMISSION} % of every transaction"}

CREATE_SCHEMA = {
    "type": ["object"],
    "required": ["amount", "description", "target"],
    "properties": {
        "amount": integer(-(10**8), 10**8),
        "description": text(10_000),
        "currency": text(3, 3),
        "target": {
            "type": ["object"],
            "required": ["type", "key"],
            "properties": {"type": {"type": ["string"], "enum": list(TARGETS)}, "key": text(255, 1)},
        },
    },
}


def seed_row(db: Database, number: int) -> Row:
    transactions = db["transactions"].orders["created_at"]
    status = STATUSES[number % len(STATUSES)]
    if not transactions:
        return {"amount": 1000, "reward_status": status, "description": "Bonus"}
    transaction = transactions[db.random.randrange(len(transactions))]
    return {**_commission(db, transaction), "reward_status": status}


def _commission(db: Database, transaction: Row) -> Row:
    """What an offer of the programme pays for a transaction."""
    return {
        "amount": transaction["amount"] * COMMISSION // 100,
        "currency": transaction["currency"],
        "description": OFFER["description"],
        "offer": OFFER,
        **_of_transaction(db, transaction),
    }


def _of_transaction(db: Database, transaction: Row) -> Row:
    customer = db["customers"].find("key", transaction.get("customer")) or {}
    return {
        "customer": transaction.get("customer"),
        "transaction": transaction["key"],
        "partner_key": customer.get("partner_key"),
    }


def create(call: Call) -> Row:
    target = call.body["target"]
    row: Row = {name: call.body[name] for name in ("amount", "description", "currency") if name in call.body}
    row["reward_status"] = "pending"
    if "currency" in row:
        row["currency"] = known_currency(row["currency"])
    if target["type"] == "manual":
        return row | {"partner_key": find_partner(call, target["key"], by_any_key=True)["partner_key"]}
    collection = call.db[target["type"] + "s"]
    names = ("key", "customer_key") if target["type"] == "customer" else ("key",)
    found = next((item for name in names if (item := collection.find(name, target["key"]))), None)
    if found is None or not call.can_refer_to(found):
        raise call.unknown_reference(f"{target['type'].capitalize()} '{target['key']}' not found")
    if target["type"] == "transaction":
        return row | _of_transaction(call.db, found)
    return row | {"customer": found["key"], "partner_key": found.get("partner_key")}


def reward_transaction(call: Call, transaction: Row) -> None:
    """Create the partner's reward; test transactions have none (docs.partnerstack.com/reference/auth)."""
    if call.db.test or transaction["amount"] <= 0:
        return
    row = add(call, REWARDS, {**_commission(call.db, transaction), "reward_status": "pending"})
    call.count_effect("rewards.create", row["key"])


def render(db: Database, row: Row, behaviour: Behaviour) -> dict[str, Any]:
    partner = db["partnerships"].find("partner_key", row.get("partner_key"))
    transaction = db["transactions"].find("key", row.get("transaction"))
    action = db["actions"].find("key", row.get("action"))
    group = partner and db["groups"].find("key", partner.get("group_key"))
    return {
        "amount": row["amount"],
        "currency": row.get("currency", "USD"),
        "description": row.get("description"),
        "reward_status": row["reward_status"],
        "status": row["reward_status"],
        "action": action and {name: action[name] for name in ("key", "type", "value")},
        "customer": customer_reference(db["customers"].find("key", row.get("customer"))),
        "invoice": row.get("invoice"),
        "offer": row.get("offer"),
        "partnership": partner
        and {
            "key": partner["key"],
            "name": f"{partner.get('first_name') or ''} {partner.get('last_name') or ''}".strip(),
            "group": group and {"key": group["key"], "name": group["name"]},
            "email": partner["email"],
        },
        "transaction": {name: transaction[name] for name in ("key", "amount", "currency")}
        if transaction and behaviour.reward_transaction == "object"
        else None,
        "source": _source(row),
        "trigger": row.get("trigger"),
    }


def _source(row: Row) -> dict[str, str] | None:
    """What a reward is for, by its key. Manual rewards and rewards for a customer have none."""
    for kind in ("transaction", "action"):
        if row.get(kind):
            return {"type": kind, "key": row[kind]}
    return None


def default_filter(call: Call) -> Predicate:
    requested = "status" in call.query or call.behaviour.scheduled_rewards_listed
    return lambda row: requested or row["reward_status"] != "scheduled"


REWARDS = Resource(
    name="rewards",
    key_prefix="rwrd_",
    render=render,
    seed_row=seed_row,
    command_count=100,
    create=create,
    create_schema=CREATE_SCHEMA,
    has_archived_field=lambda behaviour: False,
    default_filter=default_filter,
    filters={"status": equals("reward_status"), "customer_key": of_customer, "group_key": of_group},
    bounds=("created",),
    orders=CREATED,
    extra_fields=(
        "reward_status",
        "customer",
        "transaction",
        "action",
        "partner_key",
        "invoice",
        "offer",
        "trigger",
    ),
    unstored_fields=("target",),
)
