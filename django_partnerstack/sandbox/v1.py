"""
The old API, ``/v1``: ``rdata`` for ``data``, an ``error`` beside the message, other field names.

docs.partnerstack.com/v1.0. One path has two meanings there: reading takes a partner's key, creating the
public key of the company.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from . import verbs
from .keys import PRODUCTION_KEYS, TEST_KEYS
from .replies import Refusal
from .resources.actions import ACTIONS
from .resources.customers import CUSTOMERS
from .resources.partnerships import PARTNERSHIPS
from .resources.transactions import TRANSACTIONS
from .routes import Route, route
from .world import Call

ROOT = "/v1"
#: A path takes any of a customer's keys here.
ANY_KEY = ("customer_key", "key", "email")
V1_CUSTOMERS = replace(CUSTOMERS, read_by=lambda behaviour: ANY_KEY, write_by=lambda behaviour: ANY_KEY)


def get_partnership(call: Call) -> dict[str, Any]:
    return _partnership(verbs.get_object(call, PARTNERSHIPS))


def create_partnership(call: Call) -> dict[str, Any]:
    """Make a partnership: the path carries the public key of the pair that asks, the group goes by name."""
    public_key = (TEST_KEYS if call.world.test else PRODUCTION_KEYS)[0]
    if call.keys["key"] != public_key:
        raise Refusal(403, "The public key in the path is not that of this company")
    known = PARTNERSHIPS.creating["properties"]
    body = {name: value for name, value in call.body.items() if name in known}
    if group := call.body.get("group"):
        body["group_key"] = _group_key(call, group)
    call.body = body | {"meta": call.body.get("metadata")}
    return _partnership(verbs.create_object(call, PARTNERSHIPS))


def _group_key(call: Call, name: str) -> str:
    rows = call.world["groups"].orders["created_at"]
    key = next((row["key"] for row in rows if row["name"] == name), None)
    if key is None:
        raise call.refuse_unknown(f"Group '{name}' not found")
    return str(key)


def _partnership(shown: dict[str, Any]) -> dict[str, Any]:
    names = ("key", "partner_key", "first_name", "last_name", "email", "created_at", "updated_at")
    group = shown["group"]
    return {
        **{name: shown[name] for name in names},
        "group": group and {"id": group["key"], "name": group["name"], "slug": group["slug"]},
        "archived": shown.get("archived", False),
    }


def get_customer(call: Call) -> dict[str, Any]:
    return _customer(verbs.get_object(call, V1_CUSTOMERS))


def create_customer(call: Call) -> dict[str, Any]:
    _rename(call, "key", "customer_key")
    return _customer(verbs.create_object(call, V1_CUSTOMERS))


def update_customer(call: Call) -> dict[str, Any]:
    _rename(call, "key", "customer_key")
    return _customer(verbs.update_object(call, V1_CUSTOMERS))


def archive_customer(call: Call) -> None:
    verbs.archive_object(call, V1_CUSTOMERS)


def _rename(call: Call, old: str, new: str) -> None:
    if old in call.body:
        call.body[new] = call.body.pop(old)


def _customer(shown: dict[str, Any]) -> dict[str, Any]:
    """A customer's ``key`` is the caller's own here."""
    names = ("provider_key", "name", "email", "partner_key", "test", "created_at", "updated_at")
    return {"key": shown["customer_key"] or shown["key"], **{name: shown[name] for name in names}}


def create_transaction(call: Call) -> dict[str, Any]:
    """Record a transaction for the customer in the path, who is named by any of three keys."""
    value = call.keys["key"]
    collection = call.world["customers"]
    references = {"customer_key": "customer_external_key", "key": "customer_key", "email": "customer_email"}
    found = (reference for name, reference in references.items() if collection.find(name, value))
    call.body = {**call.body, next(found, "customer_external_key"): value}
    shown = verbs.create_object(call, TRANSACTIONS)
    names = ("key", "customer_key", "amount", "currency", "test", "created_at", "updated_at")
    customer = collection.find("key", shown["customer_key"]) or {}
    return {**{name: shown[name] for name in names}, "partner_key": customer.get("partner_key")}


def create_action(call: Call) -> dict[str, Any]:
    """Record an action of a customer or of a partner."""
    body = {name: call.body[name] for name in ("type", "value") if call.body.get(name) is not None}
    customer, partner = call.body.get("customer_key"), call.body.get("partner_key")
    kind, key = ("customer", customer) if customer else ("partnership", partner)
    call.body = {"value": 1, **body, "target_type": kind, "target_key": key}
    return verbs.create_object(call, ACTIONS)


ROUTES: list[Route] = [
    route("GET", ROOT + "/partnerships/{key}", get_partnership, "Partnership retrieved successfully"),
    route("POST", ROOT + "/partnerships/{key}", create_partnership, "Partnership created", creates=True),
    route("POST", ROOT + "/customers", create_customer, "Customer created", creates=True),
    route("GET", ROOT + "/customers/{key}", get_customer, "Customer retrieved successfully"),
    route("PATCH", ROOT + "/customers/{key}", update_customer, "Customer updated"),
    route("DELETE", ROOT + "/customers/{key}", archive_customer, "Customer archived"),
    route(
        "POST",
        ROOT + "/customers/{key}/transactions",
        create_transaction,
        "Transaction created",
        creates=True,
    ),
    route("POST", ROOT + "/actions", create_action, "Action created", creates=True),
]
