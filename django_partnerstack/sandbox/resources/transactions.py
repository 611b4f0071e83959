"""Transactions (docs.partnerstack.com/reference/post_transactions)."""

from __future__ import annotations

from typing import Any

from ..api.call import Call
from ..api.currencies import known_currency, us_cents
from ..api.references import COMPANY, customer_reference
from ..api.resource import CREATED, Resource
from ..api.schema import integer, nullable, text
from ..behaviour.switches import Behaviour
from ..replies import Refusal
from ..storage.database import Database
from ..storage.table import Row
from .rewards import reward_transaction

#: Fields that identify the customer. Exactly one is required. Here ``customer_key`` is PartnerStack's own
#: key, on a customer it is the caller's.
REFERENCES = {"customer_key": "key", "customer_external_key": "customer_key", "customer_email": "email"}
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

CREATE_SCHEMA = {
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


def seed_row(db: Database, number: int) -> Row:
    customers = db["customers"].orders["created_at"]
    row = {
        "key": f"transaction-{number}",
        "amount": db.random.randrange(100, 100_000),
        "currency": "USD" if number % 4 else "EUR",
    }
    if customers:
        row["customer"] = customers[db.random.randrange(len(customers))]["key"]
    return row


def create(call: Call) -> Row:
    customer = find_customer(call)
    if call.body.get("test") and not call.db.test:
        raise call.mixed_modes(
            "A test transaction cannot be added to a customer created with production keys"
        )
    row = {name: call.body[name] for name in STORED if name in call.body}
    row |= {"customer": customer["key"], "currency": known_currency(call.body["currency"])}
    row.setdefault("key", call.db.new_key("tran_"))
    return row | ({"created_at": call.body["created_at"]} if "created_at" in call.body else {})


def find_customer(call: Call) -> Row:
    """The customer that the body identifies. Raises Refusal if it is unknown, archived or of another mode."""
    sent = [name for name in REFERENCES if call.body.get(name) is not None]
    if len(sent) != 1:
        raise Refusal(400, f"Exactly one of {', '.join(REFERENCES)} must be given, not {len(sent)}")
    name, value = sent[0], call.body[sent[0]]
    row = call.db["customers"].find(REFERENCES[name], value)
    if row is not None and not row.get("archived") and call.can_refer_to(row):
        return row
    if call.other_db["customers"].find(REFERENCES[name], value):
        raise call.mixed_modes(
            "A test transaction cannot be added to a customer created with production keys"
            if call.db.test
            else "Transactions of test customers must be sent with test keys"
        )
    raise call.unknown_reference(f"Customer '{value}' not found")


def render(db: Database, row: Row, behaviour: Behaviour) -> dict[str, Any]:
    customer = customer_reference(db["customers"].find("key", row.get("customer")))
    return {
        "amount": row["amount"],
        "amount_usd": us_cents(row["amount"], row["currency"]),
        "currency": row["currency"],
        "approved": row.get("approved", True),
        "category_key": row.get("category_key"),
        "product_key": row.get("product_key"),
        "customer_key": row.get("customer"),
        "customer": customer and {name: customer[name] for name in ("key", "email", "external_key")},
        "company": COMPANY,
        "extension": None,
        "metadata": row.get("metadata"),
        "test": db.test,
    }


TRANSACTIONS = Resource(
    name="transactions",
    key_prefix="tran_",
    render=render,
    seed_row=seed_row,
    command_count=500,
    create=create,
    create_schema=CREATE_SCHEMA,
    after_create=reward_transaction,
    bounds=("created",),
    orders=CREATED,
    removable="delete",
    extra_fields=("approved", "customer"),
    unstored_fields=(*REFERENCES, "test"),
)
