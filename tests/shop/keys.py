"""Ways in which a site may name its customers to PartnerStack."""

from __future__ import annotations

from .models import Account


def by_name(account: Account) -> str:
    return f"customer {account.name}"


def plain_name(account: Account) -> str:
    return account.name
