"""Rows for what this site has and PartnerStack has not yet, so that the admin shows them among the others."""

from __future__ import annotations

from collections.abc import Iterable

from ..client.validation import LONGEST_KEY
from ..models import Customer, OutboxMessage, Transaction
from .operations import CREATE_CUSTOMER


def mirror_locally(messages: Iterable[OutboxMessage], *, mode: str, using: str) -> None:
    """
    Make a row for each customer and transaction that has none. Three queries at most. Safe to repeat.

    A customer's row has no ``key`` until it comes back from PartnerStack and is adopted.
    """
    messages = list(messages)
    customers = {m.subject: m for m in messages if m.operation in CREATE_CUSTOMER}
    transactions = [m for m in messages if m.operation == "transactions.create"]
    if customers:
        there = Customer.objects.using(using)
        found = there.filter(mode=mode, customer_key__in=customers)
        known = set(found.values_list("customer_key", flat=True))
        there.bulk_create(_customer(m, mode) for key, m in customers.items() if key not in known)
    if transactions:
        rows = (_transaction(message, mode) for message in transactions)
        Transaction.objects.using(using).bulk_create(rows, ignore_conflicts=True)


def _customer(message: OutboxMessage, mode: str) -> Customer:
    names = ("customer_key", "email", "name", "partner_key", "provider_key")
    # What is too long for PartnerStack kills this message later, and not all that are taken in with it.
    values = {name: str(message.content.get(name) or "")[:LONGEST_KEY] for name in names}
    return Customer(mode=mode, **values)


def _transaction(message: OutboxMessage, mode: str) -> Transaction:
    names = ("key", "customer_external_key", "amount", "currency")
    return Transaction(mode=mode, **{name: message.payload[name] for name in names})
