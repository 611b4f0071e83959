"""What a site registers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from django_partnerstack import sources, track
from django_partnerstack.exceptions import SourceError
from django_partnerstack.models import OutboxMessage
from tests.shop.models import Account, Payment


class Loyal(Account):
    """A proxy of a customer model."""

    class Meta:
        proxy = True
        app_label = "shop"


@pytest.fixture
def shop(db: None) -> Account:
    return Account.objects.create(email="a@customers.example", partner_key="gstest")


@pytest.fixture
def accounts() -> Iterator[dict[Any, Any]]:
    """The registered sources of customers, to change for one test."""
    before = dict(sources.customers)
    yield sources.customers
    sources.customers.clear()
    sources.customers.update(before)


def test_the_sources_of_every_app_are_discovered() -> None:
    assert sources.find(sources.customers, Account) is not None
    assert sources.find(sources.transactions, Payment) is not None


def test_a_proxy_has_the_source_of_its_model() -> None:
    assert sources.find(sources.customers, Loyal) is sources.find(sources.customers, Account)


def test_a_second_source_for_a_model_is_refused() -> None:
    with pytest.raises(SourceError, match=r"shop.Account has a source already: account"):
        sources.customer(Account)(lambda account: None)


def test_registering_the_same_source_again_is_allowed() -> None:
    registered = sources.customers[Account]
    assert sources.customer(Account)(registered) is registered


def test_a_model_without_a_source_needs_an_email_address(shop: Account, accounts: dict[Any, Any]) -> None:
    accounts.clear()
    with pytest.raises(SourceError, match=r"shop.Account has no source.*or give email="):
        track.signup(shop)
    assert track.signup(shop, email="other@customers.example", name="Ada")


def test_reporting_an_object_without_a_source_says_what_to_do(
    shop: Account, accounts: dict[Any, Any]
) -> None:
    accounts.clear()
    with pytest.raises(SourceError, match=r"shop.Account has no source; register one in partnerstack.py"):
        track.report(shop)


@pytest.mark.parametrize(
    ("result", "reason"),
    [(None, "The source returned None."), (sources.Skipped("Staff."), "Staff.")],
)
def test_the_reason_is_recorded_when_an_object_is_not_reported(
    shop: Account, accounts: dict[Any, Any], result: Any, reason: str
) -> None:
    accounts[Account] = lambda account: result
    OutboxMessage.objects.all().delete()
    for _ in range(2):
        shop.save()
        Account.objects.create(email="b@customers.example", pk=shop.pk + 1 + _)
    found = OutboxMessage.objects.all()
    assert {(each.state, each.reason) for each in found} == {("skipped", reason)}
    assert {each.source_pk for each in found} == {str(shop.pk + number) for number in range(3)}


def test_a_skipped_object_is_queued_once_its_source_reports_it(db: None, shop: Account) -> None:
    payment = Payment.objects.create(account=shop, total=5, paid=False)
    payment.paid = True
    payment.save()
    reports = OutboxMessage.objects.filter(source="shop.payment").order_by("pk")
    assert [each.state for each in reports] == ["skipped", "new"]
