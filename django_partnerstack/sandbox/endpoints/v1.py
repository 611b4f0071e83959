"""
The old API, ``/v1``: ``rdata`` instead of ``data``, ``error`` in addition to ``message``, other field names.

docs.partnerstack.com/v1.0. The path of a partnership has two meanings: reading takes a partner's key,
creating takes the company's public key.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..api.call import Call
from ..api.operations import create_object, get_object, remove_object, update_object
from ..http.authentication import PRODUCTION_KEYS, TEST_KEYS
from ..http.routing import Route, route
from ..replies import Refusal
from ..resources.actions import ACTIONS
from ..resources.customers import CUSTOMERS
from ..resources.partnerships import PARTNERSHIPS
from ..resources.transactions import TRANSACTIONS

ROOT = "/v1"
#: Any of a customer's keys identifies it in a path.
ANY_KEY = ("customer_key", "key", "email")
V1_CUSTOMERS = replace(CUSTOMERS, read_keys=lambda behaviour: ANY_KEY, write_keys=lambda behaviour: ANY_KEY)


def get_partnership(call: Call) -> dict[str, Any]:
    return _partnership(call, get_object(call, PARTNERSHIPS))


def create_partnership(call: Call) -> dict[str, Any]:
    """Create a partnership. The path contains the caller's public key, the body the name of the group."""
    public_key = (TEST_KEYS if call.db.test else PRODUCTION_KEYS)[0]
    if call.keys["key"] != public_key:
        raise Refusal(403, "The public key in the path is not that of this company")
    known = PARTNERSHIPS.create_schema["properties"]
    body = {name: value for name, value in call.body.items() if name in known}
    if group := call.body.get("group"):
        body["group_key"] = _group_key(call, group)
    call.body = body | {"meta": call.body.get("metadata")}
    return _partnership(call, create_object(call, PARTNERSHIPS))


def _group_key(call: Call, name: str) -> str:
    rows = call.db["groups"].orders["created_at"]
    key = next((row["key"] for row in rows if row["name"] == name), None)
    if key is None:
        raise call.unknown_reference(f"Group '{name}' not found")
    return str(key)


def _partnership(call: Call, shown: dict[str, Any]) -> dict[str, Any]:
    """A partnership. Its ``id``, and that of its group, is a number in this version."""
    names = ("key", "partner_key", "first_name", "last_name", "email", "created_at", "updated_at")
    group = shown["group"]
    return {
        "id": _id(call, "partnerships", shown),
        **{name: shown[name] for name in names},
        "group": group and {"id": _id(call, "groups", group), "name": group["name"], "slug": group["slug"]},
        "archived": shown.get("archived", False),
    }


def _id(call: Call, resource: str, shown: dict[str, Any]) -> int | None:
    row = call.db[resource].find("key", shown["key"])
    return None if row is None else int(row["serial"])


def get_customer(call: Call) -> dict[str, Any]:
    return _customer(get_object(call, V1_CUSTOMERS))


def create_customer(call: Call) -> dict[str, Any]:
    _rename(call, "key", "customer_key")
    return _customer(create_object(call, V1_CUSTOMERS))


def update_customer(call: Call) -> dict[str, Any]:
    _rename(call, "key", "customer_key")
    return _customer(update_object(call, V1_CUSTOMERS))


def archive_customer(call: Call) -> None:
    remove_object(call, V1_CUSTOMERS)


def _rename(call: Call, old: str, new: str) -> None:
    if old in call.body:
        call.body[new] = call.body.pop(old)


def _customer(shown: dict[str, Any]) -> dict[str, Any]:
    """A customer. Its ``key`` is the caller's own in this version."""
    names = ("provider_key", "name", "email", "partner_key", "test", "created_at", "updated_at")
    return {"key": shown["customer_key"] or shown["key"], **{name: shown[name] for name in names}}


def create_transaction(call: Call) -> dict[str, Any]:
    """Create a transaction of the customer in the path, identified by any of three keys."""
    value = call.keys["key"]
    collection = call.db["customers"]
    references = {"customer_key": "customer_external_key", "key": "customer_key", "email": "customer_email"}
    found = (reference for name, reference in references.items() if collection.find(name, value))
    call.body = {**call.body, next(found, "customer_external_key"): value}
    shown = create_object(call, TRANSACTIONS)
    names = ("key", "customer_key", "amount", "currency", "test", "created_at", "updated_at")
    customer = collection.find("key", shown["customer_key"]) or {}
    return {**{name: shown[name] for name in names}, "partner_key": customer.get("partner_key")}


def create_action(call: Call) -> dict[str, Any]:
    """Create an action of a customer or a partner."""
    body = {name: call.body[name] for name in ("type", "value") if call.body.get(name) is not None}
    customer, partner = call.body.get("customer_key"), call.body.get("partner_key")
    kind, key = ("customer", customer) if customer else ("partnership", partner)
    call.body = {"value": 1, **body, "target_type": kind, "target_key": key}
    return create_object(call, ACTIONS)


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
