"""Transactions (docs.partnerstack.com/reference/post_transactions)."""

from __future__ import annotations

from typing import Any

from ..behaviour import Behaviour
from ..collection import Row
from ..replies import Refusal
from ..resource import CREATED, Resource
from ..schema import integer, nullable, text
from ..world import COMPANY, Call, World
from .customers import nested
from .rewards import reward_transaction

#: Each names the customer; exactly one must be sent. The first is PartnerStack's own key here, while on a
#: customer the same name is the caller's key.
REFERENCES = {"customer_key": "key", "customer_external_key": "customer_key", "customer_email": "email"}
#: US cents for a unit of a minor unit of a currency, in hundredths. Invented, and always the same.
RATES = {"USD": 100, "CAD": 73, "EUR": 110, "GBP": 128, "AUD": 66}
STORED = (
    "key",
    "amount",
    "currency",
    "category_key",
    "product_key",
    "metadata",
    "subscription_key",
    "member_key",
)

CREATING = {
    "type": ["object"],
    "required": ["amount", "currency"],
    "properties": {
        **{name: text(255, 1) for name in REFERENCES},
        "amount": integer(-50_000_000_000, 50_000_000_000),
        "currency": text(3, 3),
        "key": text(255, 4),
        "category_key": text(null=True),
        "product_key": text(null=True),
        "metadata": nullable(
            "object",
            maxProperties=25,
            propertyNames={"maxLength": 30},
            values={"maxLength": 100},
        ),
        "test": {"type": ["boolean"]},
        "created_at": integer(0, 2**53),
        "subscription_key": text(null=True),
        "member_key": text(null=True),
    },
}


def sample(world: World, number: int) -> Row:
    customers = world["customers"].orders["created_at"]
    row = {
        "key": f"transaction-{number}",
        "amount": world.random.randrange(100, 100_000),
        "currency": "USD" if number % 4 else "EUR",
    }
    if customers:
        row["customer"] = customers[world.random.randrange(len(customers))]["key"]
    return row


def new(call: Call) -> Row:
    customer = find_customer(call)
    if call.body.get("test") and not call.world.test:
        raise call.refuse_mixed_modes(
            "A test transaction cannot be added to a customer made with production keys"
        )
    row = {name: call.body[name] for name in STORED if name in call.body}
    row["customer"] = customer["key"]
    row.setdefault("key", call.world.new_key("tran_"))
    return row | ({"created_at": call.body["created_at"]} if "created_at" in call.body else {})


def find_customer(call: Call) -> Row:
    """The customer that the body names in one of three ways; raises Refusal if it cannot be used."""
    sent = [name for name in REFERENCES if call.body.get(name) is not None]
    if len(sent) != 1:
        raise Refusal(400, f"Exactly one of {', '.join(REFERENCES)} must be given, not {len(sent)}")
    name, value = sent[0], call.body[sent[0]]
    row = call.world["customers"].find(REFERENCES[name], value)
    if row is not None and not row.get("archived") and call.can_refer_to(row):
        return row
    if call.other_world["customers"].find(REFERENCES[name], value):
        raise call.refuse_mixed_modes(
            "A test transaction cannot be added to a customer made with production keys"
            if call.world.test
            else "Transactions of test customers must be sent with test keys"
        )
    raise call.refuse_unknown(f"Customer '{value}' not found")


def render(world: World, row: Row, behaviour: Behaviour) -> dict[str, Any]:
    customer = nested(world["customers"].find("key", row.get("customer")))
    return {
        "key": row["key"],
        "amount": row["amount"],
        "amount_usd": row["amount"] * RATES.get(row["currency"], 100) // 100,
        "currency": row["currency"],
        "approved": row.get("approved", True),
        "archived": row.get("archived", False),
        "category_key": row.get("category_key"),
        "product_key": row.get("product_key"),
        "customer_key": row.get("customer"),
        "customer": customer and {name: customer[name] for name in ("key", "email", "external_key")},
        "company": COMPANY,
        "extension": None,
        "metadata": row.get("metadata"),
        "test": world.test,
        "created_at": row["created_at"],
        "updated_at": row["updated_at"],
    }


TRANSACTIONS = Resource(
    name="transactions",
    prefix="tran_",
    render=render,
    sample=sample,
    new=new,
    creating=CREATING,
    after_create=reward_transaction,
    bounds=("created",),
    orders=CREATED,
    deletable=True,
    settable=("approved", "customer"),
    sent_only=(*REFERENCES, "test"),
)
