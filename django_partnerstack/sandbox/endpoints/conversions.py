"""
Conversions: ``POST /conversion/xid`` creates a customer from a click.

docs.partnerstack.com/docs/step-3-tracking-conversions. As vendors have seen, the response is 200 without a
body whether or not a customer was created. Only reading the customer shows the result, after a delay
(``Behaviour.conversion_lag``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ..api.call import Call
from ..api.custom_fields import stored_values
from ..api.operations import add
from ..api.schema import META, json_object, nullable, text
from ..http.authentication import tracking_mode_of
from ..replies import Answer, Refusal
from ..resources.customers import BUILT_IN_WRITABLE, CUSTOMERS, STORED
from ..state import SandboxState
from ..storage.database import Conversion
from ..storage.table import Row

PATH = "/conversion/xid"
ANY_TEXT = nullable("string")
SCHEMA = {
    "type": ["object"],
    "required": ["xid", "customer_key"],
    "properties": {
        "xid": text(255, 1),
        "customer_key": text(255, 1),
        # PartnerStack accepts invented values for these two, so ``email`` need not be an e-mail address.
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


def answer(sandbox: SandboxState, method: str, headers: Mapping[str, str], body: bytes) -> Answer:
    if method != "POST":
        raise Refusal(405, "Method not allowed", {"Allow": "POST"})
    mode = tracking_mode_of(headers)
    if mode is None:
        raise Refusal(401, "Unauthorized")
    call = sandbox.call(mode, body=json_object(body))
    call.check_body(SCHEMA)
    xid, key = call.body["xid"], call.body["customer_key"]
    created = _convert(call, xid, key)
    sandbox.conversions.append(
        Conversion(mode=mode, xid=xid, customer_key=key, sent_at=call.now, created=created)
    )
    return 200, None, {}


def _convert(call: Call, xid: str, key: str) -> bool:
    """Create a customer of the partner whose link was clicked, if possible; returns whether it did."""
    call.db.attempts[key] += 1
    partner = _partner_of(call, xid)
    if partner is None or not _is_free(call, key) or _is_phantom(call, key):
        return False
    row: Row = {name: call.body[name] for name in STORED if name in call.body}
    row |= stored_values(replace(call, body={"meta": call.body.get("meta")}), row, built_in=BUILT_IN_WRITABLE)
    row |= {"partner_key": partner["partner_key"], "source_type": "link"}
    add(call, CUSTOMERS, row | {"visible_at": call.now + round(_lag(call, key) * 1000)})
    call.db.converted.add(key)
    call.count_effect("conversions.create", key)
    return True


def _partner_of(call: Call, xid: str) -> Row | None:
    """The partner whose link was clicked, if the click belongs to this mode and the partner still exists."""
    click = call.db.clicks.get(xid)
    if click is None:
        return None
    partner = call.db["partnerships"].find("key", click.partnership_key)
    return None if partner is None or partner.get("archived") else partner


def _is_free(call: Call, key: str) -> bool:
    """Whether no customer has or had this key: a key converts once in the life of the account."""
    customers = call.db["customers"]
    used = key in call.db.converted or key in customers.retired_keys
    return not used and customers.find("customer_key", key) is None


def _is_phantom(call: Call, key: str) -> bool:
    """Whether a conversion has no effect by chance. Each attempt has a new chance."""
    rate = call.behaviour.phantom
    return bool(rate) and call.db.draw("phantom", key, call.db.attempts[key]) < rate


def _lag(call: Call, key: str) -> float:
    lag = call.behaviour.conversion_lag
    if not isinstance(lag, tuple):
        return lag
    return lag[0] + (lag[1] - lag[0]) * call.db.draw("lag", key)
