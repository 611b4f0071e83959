"""References from one object to another: looked up in a body, filtered by, and shown."""

from __future__ import annotations

from typing import Any

from ..replies import Refusal
from ..storage.database import Database
from ..storage.table import Row
from .call import Call
from .resource import Predicate, any_of

COMPANY = {"key": "co_sandboxCompany0", "name": "Sandbox Company"}


def find_group(call: Call, key: str) -> str:
    """The key, if there is such a group. Raises Refusal otherwise."""
    if call.db["groups"].find("key", key) is None:
        raise call.unknown_reference(f"Group '{key}' not found")
    return key


def find_partner(call: Call, partner_key: str, *, by_any_key: bool = False) -> Row:
    """
    The partnership with this ``partner_key``. Raises Refusal if it cannot be used.

    ``by_any_key`` also accepts the ``part_…`` key.
    """
    either = by_any_key or call.behaviour.partnership_key_as_partner_key
    names = ("partner_key", "key") if either else ("partner_key",)
    for name in names:
        row = call.db["partnerships"].find(name, partner_key)
        if row is not None and not row.get("archived"):
            return row
    if any(call.other_db["partnerships"].find(name, partner_key) for name in names):
        raise _partner_of_other_mode(call)
    raise call.unknown_reference(f"Partnership '{partner_key}' not found")


def _partner_of_other_mode(call: Call) -> Refusal:
    if call.db.test:
        return call.mixed_modes("Test customers must be created under a test partner")
    return call.mixed_modes("A test partner cannot have production customers")


def partner_and_group(call: Call) -> Row:
    """The ``partner_key`` and the ``group_key`` of a body. Raises Refusal if a key cannot be used."""
    found: Row = {}
    if call.body.get("partner_key") is not None:
        found["partner_key"] = find_partner(call, call.body["partner_key"])["partner_key"]
    if call.body.get("group_key") is not None:
        found["group_key"] = find_group(call, call.body["group_key"])
    return found


def of_partnership(db: Database, values: list[str]) -> Predicate:
    """The filter ``partnership_key`` for rows with a ``partner_key``."""
    found = (db["partnerships"].find("key", value) for value in any_of(values))
    wanted = {row["partner_key"] for row in found if row is not None}
    return lambda row: row.get("partner_key") in wanted


def of_customer(db: Database, values: list[str]) -> Predicate:
    """The filter ``customer_key`` for rows with a ``customer``, by either key of the customer."""
    table = db["customers"]
    found = (table.find(name, value) for value in any_of(values) for name in ("customer_key", "key"))
    wanted = {row["key"] for row in found if row is not None}
    return lambda row: row.get("customer") in wanted


def of_group(db: Database, values: list[str]) -> Predicate:
    """The filter ``group_key`` for rows with a ``partner_key``."""
    wanted, partnerships = any_of(values), db["partnerships"]

    def test(row: Row) -> bool:
        partner = partnerships.find("partner_key", row.get("partner_key"))
        return partner is not None and partner.get("group_key") in wanted

    return test


def customer_reference(row: Row | None) -> dict[str, Any] | None:
    """A customer inside another object, where the caller's own key is called ``external_key``."""
    if row is None:
        return None
    return {
        "key": row["key"],
        "email": row.get("email"),
        "name": row.get("name"),
        "external_key": row.get("customer_key"),
    }
