"""Whatever a site gives to a verb, it gets an error of this package with one clear line."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from django_partnerstack import track
from django_partnerstack.exceptions import PartnerStackError
from django_partnerstack.models import OutboxMessage
from tests.outbox.site import account

pytestmark = pytest.mark.django_db

VALUES: list[Any] = [
    None,
    True,
    -1,
    10**30,
    1.5,
    float("nan"),
    Decimal("NaN"),
    "",
    "part\0",
    "half \ud800",
    "x" * 300,
    b"x",
    [],
    [1],
    {"a": [1]},
    {1: 2},
    object(),
    date(2026, 1, 1),
    datetime(2026, 1, 1),
]
PURCHASE = ("amount", "currency", "key", "product_key", "category_key", "metadata", "created_at")
USES: dict[str, Callable[[Any, Any], object]] = {
    **{f"purchase {name}": lambda shop, value, name=name: buy(shop, **{name: value}) for name in PURCHASE},
    "purchase customer": lambda shop, value: buy(value),
    "sign up customer": lambda shop, value: track.signup(value, email="a@customers.example"),
    "sign up email": lambda shop, value: track.signup(shop, email=value),
    "sign up name": lambda shop, value: track.signup(shop, name=value),
    "sign up partner": lambda shop, value: track.signup(shop, partner_key=value),
    "refund": lambda shop, value: track.refund(value),
    "refund amount": lambda shop, value: track.refund("inv_1", amount=value),
    "refund key": lambda shop, value: track.refund("inv_1", amount=1, key=value),
    "event customer": lambda shop, value: track.event(value, "demo"),
    "event name": lambda shop, value: track.event(shop, value),
    "event value": lambda shop, value: track.event(shop, "demo", value=value),
    "event key": lambda shop, value: track.event(shop, "demo", key=value),
    "report": lambda shop, value: track.report(value),
    "assign customer": lambda shop, value: track.assign(value, "gstest", by="a test"),
    "assign partner": lambda shop, value: track.assign(track.customer_key(shop), value, by="a test"),
}


def buy(customer: Any, **changes: Any) -> None:
    given: dict[str, Any] = {"amount": 4900, "currency": "USD", "key": "inv_2", **changes}
    track.purchase(customer, **given)


def error_of(use: Callable[[Any, Any], object], shop: Any, value: Any) -> str:
    """The text of an error of this package; any other error fails the test."""
    try:
        use(shop, value)
    except PartnerStackError as error:
        return str(error) or "An error\nwithout a text"
    return ""


@pytest.mark.parametrize("use", USES)
def test_a_value_that_cannot_be_used_is_refused_with_one_line(use: str) -> None:
    shop = account()
    track.purchase(shop, amount=4900, currency="USD", key="inv_1")
    for value in VALUES:
        count = OutboxMessage.objects.count()
        if error := error_of(USES[use], shop, value):
            assert len(error.splitlines()) == 1, value
            assert OutboxMessage.objects.count() == count, value
