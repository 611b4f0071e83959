from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

import pytest

from django_partnerstack.insight.report import Figures, Period, report
from django_partnerstack.insight.report.period import first_day, last_day
from django_partnerstack.models import Attribution, Customer, Partnership, Reward, Transaction


def at(text: str) -> datetime:
    """A moment, by its day and hour: "2026-05-17 12"."""
    when = datetime.strptime(text if " " in text else f"{text} 12", "%Y-%m-%d %H")
    return when.replace(tzinfo=timezone.utc)


def in_month(text: str) -> Period:
    return Period(first_day(text), last_day(text))


MAY = in_month("2026-05")


def partner(name: str, **columns: Any) -> Partnership:
    given = {"key": f"part_{name}", "partner_key": name, **columns}
    return Partnership.objects.create(mode="test", **given)


def customer(number: int, partner: str, day: str = "2026-05-10", **columns: Any) -> Customer:
    keys = {"partnership_key": f"part_{partner}" if partner else "", "partner_key": partner}
    keys |= {"key": f"cus_{number}", "customer_key": f"account-{number}"}
    given = {"mode": "test", "remote_created_at": at(day), **keys, **columns}
    return Customer.objects.create(**given)


def payment(key: str, customer: int, amount: int, day: str = "2026-05-11", **columns: Any) -> Transaction:
    given = {"mode": "test", "currency": "USD", "customer_key": f"cus_{customer}", **columns}
    given.setdefault("remote_created_at", at(day))
    return Transaction.objects.create(key=key, amount=amount, **given)


def reward(key: str, partner: str, amount: int, status: str = "approved", **columns: Any) -> Reward:
    given = {"mode": "test", "currency": "USD", "remote_created_at": at("2026-05-12"), **columns}
    return Reward.objects.create(
        key=key, partnership_key=f"part_{partner}", amount=amount, reward_status=status, **given
    )


def sign_up(number: int, clicked: str = "", partner: str = "", **columns: Any) -> Attribution:
    given = {"bound_at": at("2026-05-10"), "clicked_at": at(clicked) if clicked else None, **columns}
    return Attribution.objects.create(
        mode="test", customer_key=f"account-{number}", partner_key=partner, **given
    )


@pytest.fixture
def of(db: None) -> Callable[..., Figures]:
    """The figures of a partner in a month, May 2026 by default."""

    def read(name: str, period: Period = MAY) -> Figures:
        rows = {str(row): figures for row, figures in report("test", period).rows}
        return rows.get(name, Figures())

    return read
