"""Mirror rows of objects that PartnerStack does not have yet, so that the admin lists them."""

from __future__ import annotations

from collections.abc import Iterable

from ...models import Customer, OutboxMessage, Transaction
from ..operations import CREATE_TRANSACTION, creating_customers


def create_placeholder_rows(messages: Iterable[OutboxMessage], *, mode: str, using: str) -> None:
    """
    Create the missing rows of new customers and transactions. Three queries at most. Safe to repeat.

    A customer's row has no ``key`` until PartnerStack returns the customer.
    """
    messages = list(messages)
    customers = {m.subject: m for m in messages if m.operation in creating_customers()}
    transactions = [m for m in messages if m.operation == CREATE_TRANSACTION]
    if customers:
        rows = Customer.objects.using(using)
        found = rows.filter(mode=mode, customer_key__in=customers)
        known = set(found.values_list("customer_key", flat=True))
        rows.bulk_create(_customer(m, mode) for key, m in customers.items() if key not in known)
    if transactions:
        new = (_transaction(message, mode) for message in transactions)
        Transaction.objects.using(using).bulk_create(new, ignore_conflicts=True)


def _customer(message: OutboxMessage, mode: str) -> Customer:
    names = ("customer_key", "email", "name", "partner_key", "provider_key")
    values = {name: message.content.get(name) or "" for name in names}
    return Customer(mode=mode, **values)


def _transaction(message: OutboxMessage, mode: str) -> Transaction:
    names = ("key", "customer_external_key", "amount", "currency")
    return Transaction(mode=mode, **{name: message.payload[name] for name in names})
