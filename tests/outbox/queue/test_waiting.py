"""A message whose customer was not reported waits for it, and leaves by itself when the customer comes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User

from django_partnerstack import attribution, sources, track
from django_partnerstack.mapping import Difference, announce
from django_partnerstack.models import Attribution, Customer, OutboxMessage
from django_partnerstack.outbox.backfill import backfill
from django_partnerstack.outbox.control import actions
from django_partnerstack.outbox.queue.sequencing.waiting import queue_waiting
from tests.outbox.site import Site, account, message, messages, states
from tests.shop.models import Account

pytestmark = pytest.mark.django_db


@pytest.fixture
def unknown(site: Site, monkeypatch: pytest.MonkeyPatch) -> Account:
    """A customer whom the site does not report yet, with a payment, its partial refund and an event."""
    usual = sources.customers[Account]
    monkeypatch.setitem(sources.customers, Account, lambda account: None)
    shop = account()
    track.purchase(shop, amount=4900, currency="USD", key="inv_1")
    track.refund("inv_1", amount=900)
    track.event(shop, "demo", key="demo_1")
    site.push()
    monkeypatch.setitem(sources.customers, Account, usual)
    return shop


def late() -> dict[str, str]:
    """The states of all messages except those about customers."""
    return {text: state for text, state in states().items() if not text.startswith("customers.")}


def assert_all_left(site: Site) -> None:
    site.push()
    assert set(late().values()) == {"delivered"}
    [payment] = site.sandbox.objects("transactions")
    assert (payment["key"], payment["amount"]) == ("inv_1~r1", 4000)


def test_all_messages_of_an_unknown_customer_wait_and_cost_no_request(site: Site, unknown: Account) -> None:
    waiting = messages(state="waiting")
    assert [each.operation for each in waiting] == [
        "transactions.create",
        "transactions.delete",
        "transactions.create",
        "actions.create",
    ]
    assert {each.reason for each in waiting} == {"The customer was not reported yet."}
    assert site.sent == []


def test_they_leave_when_the_customer_is_saved(site: Site, unknown: Account) -> None:
    unknown.save()
    assert_all_left(site)


def test_they_leave_when_the_site_reports_the_customer(site: Site, unknown: Account) -> None:
    track.signup(unknown)
    assert_all_left(site)


def test_they_leave_when_a_backfill_finds_the_customer(site: Site, unknown: Account) -> None:
    backfill(Account, mode="test", on_page=lambda done: None)
    assert_all_left(site)


def test_they_leave_when_the_next_payment_introduces_the_customer(site: Site, unknown: Account) -> None:
    track.event(unknown, "demo", key="demo_2")
    assert_all_left(site)


def test_they_leave_when_an_operator_retries_one_of_them(site: Site, unknown: Account) -> None:
    actions.retry(messages("actions.create")[0])
    assert_all_left(site)


def synced(site: Site, customer: Account) -> None:
    """The customer is created by other means, and a sync has found it."""
    key = f"shop-account-{customer.pk}"
    site.sandbox.create("customers", customer_key=key, key="cus_1")
    Customer.objects.create(mode="test", key="cus_1", customer_key=key)


def test_they_leave_when_a_sync_finds_the_customer_at_partnerstack(site: Site, unknown: Account) -> None:
    synced(site, unknown)
    announce(Customer, Difference(created=[Customer.objects.get()]), mode="test")
    assert_all_left(site)


def test_they_leave_if_the_process_of_the_sync_died_before_its_signal(site: Site, unknown: Account) -> None:
    synced(site, unknown)
    assert queue_waiting("test") == 1
    assert_all_left(site)


def test_a_customer_of_the_other_mode_is_not_waited_for(site: Site, unknown: Account) -> None:
    Customer.objects.create(mode="production", key="cus_1", customer_key=f"shop-account-{unknown.pk}")
    assert queue_waiting("test") == 0


def test_they_are_organic_if_the_customer_is_reported_without_a_partner(site: Site, unknown: Account) -> None:
    unknown.partner_key = ""
    unknown.save()
    site.push()
    assert set(late().values()) == {"organic"}
    assert {each.reason for each in messages(state="organic", operation="actions.create")} == {""}
    unknown.partner_key = "gstest"
    unknown.save()
    assert_all_left(site)


def test_they_are_organic_if_the_customer_comes_in_the_same_batch_without_a_partner(site: Site) -> None:
    user = User.objects.create(username="ada")
    track.purchase(user, amount=4900, currency="USD", key="inv_1")
    track.signup(user, email="ada@customers.example")
    site.push()
    assert set(states().values()) == {"organic"}


def test_a_customer_without_a_source_is_waited_for_until_it_is_reported(site: Site) -> None:
    user = User.objects.create(username="ada")
    track.purchase(user, amount=4900, currency="USD", key="inv_1")
    site.push()
    assert message("transactions.create").state == "waiting"
    track.signup(user, email="ada@customers.example", partner_key="gstest")
    site.push()
    assert message("transactions.create").state == "delivered"


def test_a_customer_reported_late_is_paid_for_whatever_the_age_of_its_payments(
    site: Site, unknown: Account
) -> None:
    OutboxMessage.objects.update(queued_at=site.clock.at - timedelta(days=400))
    unknown.save()
    assert_all_left(site)


@pytest.mark.parametrize(("days", "state"), [(89, "delivered"), (91, "organic")])
def test_what_was_queued_long_before_the_customer_had_a_partner_stays_organic(
    site: Site, unknown: Account, days: int, state: str
) -> None:
    clicked = site.clock.at - timedelta(days=30)
    Attribution.objects.create(
        mode="test",
        customer_key=f"shop-account-{unknown.pk}",
        partner_key="gstest",
        method="link",
        bound_at=clicked,
    )
    OutboxMessage.objects.update(queued_at=clicked - timedelta(days=days))
    unknown.save()
    site.push()
    assert {each.state for each in messages(subject="inv_1")} == {state}


def test_a_held_payment_stays_on_hold_when_its_customer_comes(site: Site, unknown: Account) -> None:
    actions.hold(messages("transactions.create")[0])
    unknown.save()
    site.push()
    assert [each.state for each in messages(subject="inv_1")] == ["held", "blocked", "blocked"]
    assert message("actions.create").state == "delivered"
    actions.release(messages("transactions.create")[0])
    assert_all_left(site)


def test_a_cancelled_payment_is_never_sent(site: Site, unknown: Account) -> None:
    actions.cancel(messages("transactions.create")[0])
    unknown.save()
    site.push()
    assert site.sandbox.objects("transactions") == []


def test_a_released_payment_waits_for_its_customer_again(site: Site, monkeypatch: Any) -> None:
    user = User.objects.create(username="ada")
    track.purchase(user, amount=4900, currency="USD", key="inv_1")
    site.push()
    actions.hold(message("transactions.create"))
    actions.release(message("transactions.create"))
    site.push()
    assert message("transactions.create").state == "waiting"


def test_the_source_of_a_customer_is_asked_once_for_all_its_messages(site: Site, monkeypatch: Any) -> None:
    [shop] = Account.objects.bulk_create([Account(email="a@customers.example")])
    shop, asked = Account.objects.get(), []
    monkeypatch.setitem(sources.customers, Account, asked.append)
    for number in range(5):
        track.event(shop, "demo", key=f"demo_{number}")
    site.push()
    assert {each.state for each in messages()} == {"waiting"}
    assert len(asked) == 1


def test_the_click_of_a_sign_up_is_kept_while_its_source_fails(site: Site, monkeypatch: Any, rf: Any) -> None:
    usual = sources.customers[Account]
    monkeypatch.setitem(sources.customers, Account, lambda account: 1 / 0)
    before = attribution.current.set(rf.get("/?ps_partner_key=Z3N0ZXN0"))
    try:
        shop = account(partner_key="")
    finally:
        attribution.current.reset(before)
    track.event(shop, "demo", key="demo_1")
    site.push()
    assert states() == {"actions.create demo_1": "waiting"}
    monkeypatch.setitem(sources.customers, Account, usual)
    shop.save()
    site.push()
    assert site.sandbox.objects("customers")[0]["partner_key"] == "gstest"
    assert set(states().values()) == {"delivered"}
