"""
The bodies of webhooks, in the shapes that vendors have seen.

See docs.partnerstack.com/docs/partnerstack-webhooks: no delivery has a signature or an id.
"""

from __future__ import annotations

from typing import Any

from ..behaviour.switches import Behaviour

Body = dict[str, Any]

#: What a flat partnership has. It has neither a key nor a time.
FLAT_PARTNERSHIP = ("partner_key", "first_name", "last_name", "email", "group")


def event_name(resource: str, verb: str, behaviour: Behaviour) -> str:
    """Such as ``partnership.updated``, or ``partnership_updated``."""
    separator = "." if behaviour.webhook_names == "dotted" else "_"
    return f"{resource.removesuffix('s')}{separator}{verb}"


def body(name: str, resource: str, item: Body, *, test: bool, behaviour: Behaviour) -> Body:
    """The body of an event about an object, which is as the API shows it."""
    if behaviour.webhook_body == "enveloped":
        return {"event": name, "data": _renamed(resource, item), "test": test}
    if resource == "partnerships":
        flat = {field: item.get(field) for field in FLAT_PARTNERSHIP}
        return {"id": 1, **flat, "event": name, "archived": str(bool(item.get("archived"))).lower()}
    return {**item, "event": name}


def _renamed(resource: str, item: Body) -> Body:
    """Events of customers have other names for two fields."""
    names = {"name": "customer_name", "email": "customer_email"} if resource == "customers" else {}
    return {names.get(name, name): value for name, value in item.items()}
