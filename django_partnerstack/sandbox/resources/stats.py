"""The ``stats`` of partnerships: totals over their customers, transactions and rewards."""

from __future__ import annotations

from collections import Counter, defaultdict

from ..api.currencies import us_cents
from ..storage.database import Database
from ..storage.table import Row

SOURCES = ("customers", "transactions", "rewards")
NAMES = ("CUSTOMER_COUNT", "PAID_ACCOUNT_COUNT", "REVENUE", "COMMISSION_EARNED")


def stats_of(db: Database, partner_key: str | None) -> dict[str, int]:
    """
    The totals of one partner; money is in US cents.

    A paid account is a customer with a transaction above 0. Declined rewards are not earned. Archived objects
    do not count.
    """
    versions = tuple(db[name].version for name in SOURCES)
    if db.cached_stats[0] != versions:
        db.cached_stats = (versions, _totals(db))
    found = db.cached_stats[1].get(partner_key or "", Counter())
    return {name: found[name] for name in NAMES}


def _totals(db: Database) -> dict[str, Counter[str]]:
    totals: dict[str, Counter[str]] = defaultdict(Counter)
    partners: dict[str, str] = {}
    for customer in _active(db, "customers"):
        partners[customer["key"]] = customer.get("partner_key") or ""
        totals[partners[customer["key"]]]["CUSTOMER_COUNT"] += 1
    paid = set()
    for transaction in _active(db, "transactions"):
        key = transaction.get("customer")
        if key not in partners:
            continue
        totals[partners[key]]["REVENUE"] += us_cents(transaction["amount"], transaction["currency"])
        if transaction["amount"] > 0:
            paid.add(key)
    for key in paid:
        totals[partners[key]]["PAID_ACCOUNT_COUNT"] += 1
    for reward in _active(db, "rewards"):
        if reward["reward_status"] != "declined":
            cents = us_cents(reward["amount"], reward.get("currency") or "USD")
            totals[reward.get("partner_key") or ""]["COMMISSION_EARNED"] += cents
    return totals


def _active(db: Database, name: str) -> list[Row]:
    return [row for row in db[name].orders["created_at"] if not row.get("archived")]
