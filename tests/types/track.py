from __future__ import annotations

from decimal import Decimal

from django.http import HttpRequest
from typing_extensions import assert_type

from django_partnerstack import track
from tests.shop.models import Account


def right_calls(account: Account, request: HttpRequest) -> None:
    track.signup(account, request=request)
    track.signup(account, email="a@example.com", name="A", partner_key="ada")
    track.purchase(account, amount=Decimal("49.00"), currency="USD", key="inv_1")
    track.purchase(account, amount=4900, currency="USD", key="inv_1", product_key="pro", metadata={"a": "b"})
    track.refund("inv_1")
    track.refund("inv_1", amount=Decimal("9.00"))
    track.event(account, "qualified_demo", value=1)


def a_misspelt_argument_is_refused(account: Account) -> None:
    track.signup(account, emial="a@example.com")  # type: ignore[call-arg]
    track.purchase(account, amount=4900, currency="USD", key="inv_1", producd_key="x")  # type: ignore[call-arg]
    track.refund("inv_1", amout=900)  # type: ignore[call-arg]
    track.event(account, "qualified_demo", valeu=1)  # type: ignore[call-arg]


def a_missing_argument_is_refused(account: Account) -> None:
    track.purchase(account, amount=4900, currency="USD")  # type: ignore[call-arg]


def a_wrong_type_is_refused(account: Account) -> None:
    track.signup("a@example.com")  # type: ignore[arg-type]
    track.purchase(account, amount=49.0, currency="USD", key="inv_1")  # type: ignore[arg-type]
    track.purchase(account, amount=4900, currency="USD", key=1)  # type: ignore[arg-type]
    track.purchase(account, amount=4900, currency="USD", key="inv_1", product_key=7)  # type: ignore[arg-type]
    track.refund(account)  # type: ignore[arg-type]


def results_say_whether_something_was_queued(account: Account) -> None:
    assert_type(track.signup(account), track.Report)
    assert_type(track.purchase(account, amount=4900, currency="USD", key="inv_1"), track.Report)
    assert_type(track.refund("inv_1"), track.Report)
    assert_type(track.event(account, "qualified_demo"), track.Report)
    assert_type(track.signup(account).queued, bool)
