"""The verbs with which a site reports customers, payments, refunds and events."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import RequestFactory, override_settings
from django.utils import timezone

from django_partnerstack import sources, track
from django_partnerstack.exceptions import InvalidArgument
from django_partnerstack.models import OutboxMessage, Transaction
from tests.outbox.site import Site, account, messages
from tests.shop.models import Account

pytestmark = pytest.mark.django_db


@pytest.fixture
def site() -> Site:
    return Site()


@pytest.fixture
def shop() -> Account:
    return account()


def buy(shop: Account, key: str = "inv_1", amount: Any = Decimal("49.00")) -> None:
    assert track.purchase(shop, amount=amount, currency="USD", key=key)


def test_a_sign_up_overrides_the_data_of_the_source(site: Site, shop: Account) -> None:
    assert track.signup(shop, email="b@customers.example", name="Ada")
    site.push()
    [customer] = site.sandbox.objects("customers")
    assert (customer["email"], customer["name"]) == ("b@customers.example", "Ada")


def test_a_repeated_report_queues_nothing(shop: Account) -> None:
    assert not track.signup(shop)
    buy(shop)
    assert not track.purchase(shop, amount=Decimal("49.00"), currency="USD", key="inv_1")


def test_a_purchase_is_reported_with_all_its_details(site: Site, shop: Account) -> None:
    moment = timezone.now() - timedelta(days=3)
    track.purchase(
        shop, amount=4900, currency="eur", key="inv_1", product_key="pro", category_key="plans",
        metadata={"seats": "3"}, created_at=moment,
    )  # fmt: skip
    site.push()
    [found] = site.sandbox.objects("transactions")
    assert (found["amount"], found["currency"], found["product_key"]) == (4900, "EUR", "pro")
    assert (found["category_key"], found["metadata"]) == ("plans", {"seats": "3"})
    assert found["created_at"] == int(moment.timestamp() * 1000)


@pytest.mark.parametrize(
    "wrong",
    [{"amount": 49.0}, {"amount": True}, {"currency": "US"}, {"key": "abc"}, {"key": None},
     {"amount": 50_000_000_001}, {"amount": Decimal("0.001")}, {"metadata": {"a": Decimal(1)}}],
)  # fmt: skip
def test_a_purchase_with_wrong_arguments_is_refused_at_once(shop: Account, wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgument):
        track.purchase(shop, **{"amount": 1, "currency": "USD", "key": "inv_1"} | wrong)
    assert messages("transactions.create") == []


def test_an_event_is_reported(site: Site, shop: Account) -> None:
    assert track.event(shop, "qualified_demo", value=2, key="demo-1")
    site.push()
    assert site.effects("actions.create") == {"demo-1": 1}


def source_of_accounts(monkeypatch: pytest.MonkeyPatch, result: Any) -> None:
    monkeypatch.setitem(sources.customers, Account, lambda account: result)


def test_each_verb_returns_a_report_of_what_it_queued(shop: Account) -> None:
    reports = [
        track.signup(shop, name="Ada"),
        track.purchase(shop, amount=4900, currency="USD", key="inv_1"),
        track.refund("inv_1", amount=900),
        track.event(shop, "qualified_demo", key="demo-1"),
    ]
    assert all(isinstance(report, track.Report) for report in reports)
    assert [(bool(report), report.key) for report in reports] == [
        (True, f"shop-account-{shop.pk}"), (True, "inv_1"), (True, "inv_1"), (True, "demo-1"),
    ]  # fmt: skip


class ReplicaRouter:
    """Reads from a replica, and writes to the primary database."""

    def db_for_read(self, model: Any, **hints: Any) -> str:
        return "replica"

    def db_for_write(self, model: Any, **hints: Any) -> str:
        return "default"


@override_settings(DATABASE_ROUTERS=[f"{__name__}.ReplicaRouter"])
def test_what_concerns_an_object_from_a_replica_is_written_where_the_router_writes(shop: Account) -> None:
    shop._state.db = "replica"
    assert track.purchase(shop, amount=4900, currency="USD", key="inv_1")
    assert track.event(shop, "demo", key="demo-1")
    assert track.signup(shop, email="new@example.com", request=RequestFactory().get("/"))


def test_a_report_can_be_compared_with_true_or_false(shop: Account) -> None:
    first, again = (track.event(shop, "qualified_demo", key="demo-1") for _ in range(2))
    assert [first, again] == [True, False]
    assert first != again


def test_a_report_is_false_when_the_same_was_queued_before(shop: Account) -> None:
    buy(shop)
    track.event(shop, "qualified_demo", key="demo-1")
    again = [
        track.signup(shop),
        track.report(shop),
        track.purchase(shop, amount=4900, currency="USD", key="inv_1"),
        track.event(shop, "qualified_demo", key="demo-1"),
    ]
    assert [(bool(report), report.queued, report.skipped) for report in again] == [(False, False, "")] * 4


def test_a_payment_that_partnerstack_has_by_other_means_is_not_queued(shop: Account) -> None:
    Transaction.objects.create(
        mode="test", key="inv_1", customer_external_key=f"shop-account-{shop.pk}",
        amount=4900, currency="USD", synced_at=timezone.now(),
    )  # fmt: skip
    report = track.purchase(shop, amount=4900, currency="USD", key="inv_1")
    assert (report.queued, messages("transactions.create")) == (False, [])


def test_a_report_shows_the_messages_about_its_key_newest_first(site: Site, shop: Account) -> None:
    buy(shop)
    site.push()
    report = track.refund("inv_1", amount=900)
    assert [(each.operation, each.state) for each in report.messages] == [
        ("transactions.create", "new"), ("transactions.delete", "new"), ("transactions.create", "delivered"),
    ]  # fmt: skip
    site.push()
    assert {each.state for each in report.messages} == {"delivered"}


def test_a_report_shows_only_messages_of_its_mode(shop: Account) -> None:
    report = track.signup(shop)
    assert report.messages.count() == 1
    OutboxMessage.objects.update(mode="production")
    assert not report.messages.exists()


def test_a_report_of_an_event_without_a_key_shows_no_messages(shop: Account) -> None:
    report = track.event(shop, "qualified_demo")
    assert (report.queued, report.key, list(report.messages)) == (True, "", [])


def test_a_report_says_why_the_source_skipped_an_object(
    shop: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    source_of_accounts(monkeypatch, sources.Skipped("Staff."))
    for report in (track.signup(shop), track.report(shop)):
        assert (bool(report), report.key, report.skipped) == (False, "", "Staff.")
        assert not report.messages


def test_reports_with_the_same_values_are_equal(shop: Account) -> None:
    again = [track.signup(shop) for _ in range(2)]
    assert again[0] == again[1] == track.Report("test", f"shop-account-{shop.pk}", queued=False)
