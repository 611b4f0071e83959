"""How a deal or a lead becomes a customer (docs.partnerstack.com/reference, "convert")."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..replies import Refusal
from ..resource import Resource
from ..schema import check, text
from ..verbs import create_object, writable
from ..world import Call
from .customers import CUSTOMERS

BODY = {
    "type": ["object"],
    "required": ["email"],
    "properties": {"email": text(255, 4, format="email"), "customer_key": text(null=True)},
}


def convert(call: Call, resource: Resource) -> dict[str, Any]:
    """Make a customer of the partner whose deal or lead it was; returns the customer."""
    row = writable(call, resource)
    check(call.body, BODY, reject_unknown=call.behaviour.unknown_fields == "reject")
    if row.get("partner_key") is None:
        raise Refusal(400, f"{resource.noun} '{row['key']}' has no partner")
    body = {"customer_key": None, **call.body, "partner_key": row["partner_key"]}
    customer = create_object(replace(call, body=body), CUSTOMERS)
    fields = {"customer_key": customer["customer_key"] or customer["key"], "updated_at": call.now}
    call.world[resource.name].change(row, fields)
    call.took_effect(f"{resource.name}.convert", resource.natural_key(row))
    return customer
