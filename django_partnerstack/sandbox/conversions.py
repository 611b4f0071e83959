"""
Conversions: ``POST /conversion/xid`` makes a customer of a click.

docs.partnerstack.com/docs/step-3-tracking-conversions. The answer is 200 without a body whether or not a
customer was made, as vendors have seen. Only reading the customer back tells, and only after a while; see
``Behaviour.conversion_lag``.
"""

from __future__ import annotations

from collections.abc import Mapping

from . import custom
from .collection import Row
from .keys import tracking_mode_of
from .replies import Answer, Refusal
from .resources.customers import CUSTOMERS, STORED, WRITTEN_BY_META
from .schema import META, check, json_object, nullable, text
from .state import State
from .verbs import add
from .world import Call, Conversion

PATH = "/conversion/xid"
ANY_TEXT = nullable("string")
BODY = {
    "type": ["object"],
    "required": ["xid", "customer_key"],
    "properties": {
        "xid": text(255, 1),
        "customer_key": text(255, 1),
        # Made-up values are fine for these two, so an e-mail address need not look like one.
        "email": text(null=True),
        "name": text(100, null=True),
        "provider_key": text(null=True),
        "origin": ANY_TEXT,
        "ip_address": ANY_TEXT,
        "user_agent": ANY_TEXT,
        "external_type": ANY_TEXT,
        "sub_ids": nullable("array"),
        "meta": META,
    },
}


def answer(sandbox: State, method: str, headers: Mapping[str, str], body: bytes) -> Answer:
    if method != "POST":
        raise Refusal(405, "Method not allowed", {"Allow": "POST"})
    mode = tracking_mode_of(headers)
    if mode is None:
        raise Refusal(401, "Unauthorized")
    call = sandbox.call(mode, body=json_object(body))
    check(call.body, BODY, reject_unknown=call.behaviour.unknown_fields == "reject")
    xid, key = call.body["xid"], call.body["customer_key"]
    created = _convert(call, xid, key)
    sandbox.conversions.append(
        Conversion(mode=mode, xid=xid, customer_key=key, sent_at=call.now, created=created)
    )
    return 200, None, {}


def _convert(call: Call, xid: str, key: str) -> bool:
    """Make a customer of the partner whose link was clicked, if nothing is in the way; says whether."""
    world = call.world
    world.attempts[key] += 1
    partner = _partner_of(call, xid)
    if partner is None or not _is_free(call, key) or _is_phantom(call, key):
        return False
    row: Row = {name: call.body[name] for name in STORED if name in call.body}
    row |= custom.taken_from({"meta": call.body.get("meta")}, row, WRITTEN_BY_META)
    row |= {"partner_key": partner["partner_key"], "source_type": "link"}
    add(call, CUSTOMERS, row | {"visible_at": call.now + round(_lag(call, key) * 1000)})
    world.converted.add(key)
    call.took_effect("conversions.create", key)
    return True


def _partner_of(call: Call, xid: str) -> Row | None:
    """The partner whose link was clicked, if the click is of this mode and the partner still there."""
    click = call.world.clicks.get(xid)
    if click is None:
        return None
    partner = call.world["partnerships"].find("key", click.partnership_key)
    return None if partner is None or partner.get("archived") else partner


def _is_free(call: Call, key: str) -> bool:
    """A key converts once for the life of the account, and is nobody else's."""
    customers = call.world["customers"]
    used = key in call.world.converted or key in customers.burnt
    return not used and customers.find("customer_key", key) is None


def _is_phantom(call: Call, key: str) -> bool:
    """Drawn anew for each attempt, since another one can well succeed."""
    rate = call.behaviour.phantom
    return bool(rate) and call.world.draw("phantom", key, call.world.attempts[key]) < rate


def _lag(call: Call, key: str) -> float:
    lag = call.behaviour.conversion_lag
    if not isinstance(lag, tuple):
        return lag
    return lag[0] + (lag[1] - lag[0]) * call.world.draw("lag", key)
