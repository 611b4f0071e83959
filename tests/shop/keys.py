"""Functions for PARTNERSTACK_CUSTOMER_KEY, right and wrong."""

from __future__ import annotations

from django.db import connection

from .models import Account


def by_name(account: Account) -> str:
    return f"customer {account.name}"


def plain_name(account: Account) -> str:
    return account.name


def from_a_missing_table(account: Account) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM nowhere")
        return cursor.fetchone()[0]
