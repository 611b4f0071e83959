"""Deals (docs.partnerstack.com/reference/patch_deals)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from ..api.call import Call
from ..api.custom_fields import render_custom_fields, stored_values
from ..api.operations import writable
from ..api.references import partner_and_group
from ..api.resource import Resource, equals
from ..api.schema import CUSTOM_FIELDS, INT32, META, nullable, text
from ..behaviour.switches import Behaviour
from ..http.routing import Route, route
from ..replies import Refusal
from ..storage.database import Database
from ..storage.table import Row
from .customers import convert
from .groups import STAGES, in_group

SOURCES = ["partner", "vendor"]
STORED = {
    "partner_key": text(),
    "group_key": text(),
    "source": nullable("string", enum=[*SOURCES, None]),
    "account_name": text(null=True),
    "amount": INT32,
    "close_date": nullable("string", format="date"),
    "contact_first_name": text(null=True),
    "contact_last_name": text(null=True),
    "customer_key": text(null=True),
    "external_key": text(null=True),
    "lost_reason": text(null=True),
    "mold_key": text(null=True),
    "stage": text(enum=list(STAGES)),
    "team": META,
    "team_member": META,
}
SCHEMA = {"type": ["object"], "properties": {**STORED, **CUSTOM_FIELDS}}


def seed_row(db: Database, number: int) -> Row:
    partners = db["partnerships"].orders["created_at"]
    return {
        "partner_key": partners[db.random.randrange(len(partners))]["partner_key"],
        "source": "partner",
        "external_key": f"deal-{number}",
        "account_name": f"Account {number}",
        "amount": db.random.randrange(10_000, 1_000_000),
        "close_date": "2025-01-31",
        "stage": STAGES[number % len(STAGES)],
    }


def create(call: Call) -> Row:
    row = {name: call.body[name] for name in STORED if name in call.body}
    row["source"] = row.get("source") or "partner"
    owner = "partner_key" if row["source"] == "partner" else "group_key"
    other = "group_key" if owner == "partner_key" else "partner_key"
    if row.get(owner) is None:
        raise Refusal(400, f"{owner!r} is a required property")
    if row.get(other) is not None:
        raise Refusal(400, "Exactly one of partner_key, group_key must be given, not 2")
    row.setdefault("stage", STAGES[0])
    return row | partner_and_group(call) | stored_values(call, row)


def update(call: Call, row: Row) -> Row:
    sent = {name: call.body[name] for name in STORED if name in call.body}
    return sent | partner_and_group(call) | stored_values(call, row)


def render(db: Database, row: Row, behaviour: Behaviour) -> dict[str, Any]:
    return {
        **{name: row.get(name) for name in STORED},
        **render_custom_fields(row, behaviour),
    }


def assign(call: Call) -> dict[str, Any]:
    """Assign a deal to a partnership and one of its teams."""
    row = writable(call, DEALS)
    partner = call.db["partnerships"].find("key", call.keys["partnership_key"])
    if partner is None:
        raise Refusal(400, f"Partnership '{call.keys['partnership_key']}' not found")
    team = {"key": call.keys["stack_key"], "name": None}
    fields = {"partner_key": partner["partner_key"], "team": team, "updated_at": call.now}
    call.db["deals"].change(row, fields)
    call.count_effect("deals.assign", DEALS.natural_key_of(row))
    return DEALS.show(call.db, row, call.behaviour)


def list_files(call: Call) -> dict[str, Any]:
    return {"deal_files": writable(call, DEALS).get("files") or []}


def get_file(call: Call) -> dict[str, Any]:
    files = writable(call, DEALS).get("files") or []
    found = next((item for item in files if item.get("key") == call.keys["file_key"]), None)
    if found is None:
        raise Refusal(404, f"File '{call.keys['file_key']}' not found")
    return {"url": f"https://files.example/{found['key']}"}


def convert_deal(call: Call) -> dict[str, Any]:
    return convert(call, DEALS)


def _with_and_without_v2(
    method: str, path: str, handler: Callable[[Call], Any], message: str
) -> Iterator[Route]:
    """Two routes. The switch ``Behaviour.deal_routes`` enables one of them."""

    def only_in(form: str, call: Call) -> Any:
        if call.behaviour.deal_routes != form:
            raise Refusal(404, "Not found")
        return handler(call)

    yield route(method, "/api" + path, partial(only_in, "unversioned"), message)
    yield route(method, "/api/v2" + path, partial(only_in, "v2"), message)


DEALS = Resource(
    name="deals",
    key_prefix="deal_",
    render=render,
    seed_row=seed_row,
    command_count=20,
    readable=True,
    create=create,
    update=update,
    create_schema=SCHEMA,
    update_schema=SCHEMA,
    removable="archive",
    extra_routes=(
        route(
            "POST", "/api/v2/deals/{key}/convert", convert_deal, "Deal converted successfully", creates=True
        ),
        route("GET", "/api/v2/deals/{key}/files", list_files, "Files retrieved successfully"),
        *_with_and_without_v2("GET", "/deals/{key}/file/{file_key}", get_file, "File retrieved successfully"),
        *_with_and_without_v2(
            "POST",
            "/deals/{key}/assignment/{partnership_key}/{stack_key}",
            assign,
            "Deal assigned successfully",
        ),
    ),
    natural_key="external_key",
    lookup_fields=("external_key",),
    read_keys=lambda behaviour: ("key", "external_key"),
    filters={
        "group": in_group,
        "partner_key": equals("partner_key"),
        "customer_key": equals("customer_key"),
        "deal_key": equals("key", "external_key"),
    },
    extra_fields=("mdata", "files"),
)
