"""Sequencing: creations, updates, organic customers and blocked messages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import override_settings

from django_partnerstack import sources, track
from django_partnerstack.models import Customer, CustomerIdentity, OutboxLane, OutboxMessage
from django_partnerstack.outbox.control import actions
from django_partnerstack.outbox.queue.claim import claim
from tests.outbox.site import Site, account, lane_of, message, messages, payment, states
from tests.shop.models import Account

pytestmark = pytest.mark.django_db


@pytest.fixture
def accounts() -> Iterator[dict[Any, Any]]:
    """The registered sources of customers, to change for one test."""
    before = dict(sources.customers)
    yield sources.customers
    sources.customers.clear()
    sources.customers.update(before)


def test_an_organic_customer_costs_no_request_and_neither_do_its_payments(site: Site) -> None:
    shop = account(partner_key="")
    payment(shop)
    track.event(shop, "demo")
    site.push()
    assert set(states().values()) == {"organic"}
    assert site.sent == []


def test_a_customer_that_partnerstack_has_already_is_updated(site: Site) -> None:
    Customer.objects.create(mode="test", key="cus_1", customer_key="shop-account-7")
    site.sandbox.create("customers", customer_key="shop-account-7", key="cus_1")
    shop = account(pk=7, partner_key="")
    payment(shop)
    site.push()
    assert site.sent == ["PATCH /customers/shop-account-7", "POST /transactions"]


def of_another_site(site: Site, email: str = "other@site.example") -> None:
    """Another site on the same PartnerStack account has used the key of our customer 7."""
    key = "shop-account-7"
    site.sandbox.create("customers", customer_key=key, key="cus_1", email=email, partner_key="gstest")
    Customer.objects.create(
        mode="test", key="cus_1", customer_key=key, email=email, remote_created_at=site.clock.at
    )


def test_a_customer_of_another_site_under_our_key_is_not_overwritten(site: Site) -> None:
    of_another_site(site)
    payment(account(pk=7))
    site.push_for(hours=1)
    failed = message("customers.create")
    assert failed.state == "dead"
    assert "with another email: o…@site.example" in failed.reason
    assert message("transactions.create").state == "blocked"
    assert [each["email"] for each in site.sandbox.objects("customers")] == ["other@site.example"]
    assert {text.split(" /")[0] for text in site.sent} == {"POST", "GET"}
    assert site.sandbox.objects("transactions") == []


def test_a_payment_of_a_customer_whose_key_another_site_used_is_not_sent(site: Site) -> None:
    """The customer was written in bulk, so the payment is the first that is queued."""
    of_another_site(site)
    Account.objects.bulk_create([Account(pk=7, email="a@customers.example", partner_key="gstest")])
    payment(Account.objects.get())
    site.push_for(hours=1)
    assert message("customers.create").state == "dead"
    assert message("transactions.create").state == "blocked"
    assert site.sandbox.objects("transactions") == []


def test_a_customer_without_a_partner_whose_key_another_site_used_fails(site: Site) -> None:
    """It would be organic, and nobody would see that its payments are not reported."""
    of_another_site(site)
    shop = account(pk=7, partner_key="")
    payment(shop)
    site.push()
    failed = message("customers.create")
    assert failed.state == "dead"
    assert "with another email: o…@site.example" in failed.reason
    assert message("transactions.create").state == "blocked"
    assert site.sent == []
    actions.mark_delivered(failed)
    site.push()
    assert message("transactions.create").state == "delivered"


def test_a_payment_of_a_customer_that_was_created_by_other_means_is_sent(site: Site) -> None:
    of_another_site(site, email="A@Customers.example")
    Account.objects.bulk_create([Account(pk=7, email="a@customers.example")])
    payment(Account.objects.get())
    site.push()
    assert site.sent == ["POST /transactions"]


def test_a_payment_waits_if_its_customer_cannot_be_compared(site: Site, accounts: dict[Any, Any]) -> None:
    of_another_site(site)
    Account.objects.bulk_create([Account(pk=7, email="a@customers.example")])
    accounts[Account] = lambda account: 1 / 0
    payment(Account.objects.get())
    site.push()
    waiting = message("transactions.create")
    assert waiting.state == "waiting"
    assert "ZeroDivisionError" in waiting.reason
    assert site.sent == []


def test_a_customer_that_this_site_created_may_change_its_address(site: Site) -> None:
    shop = account(pk=7)
    site.push()
    Customer.objects.update(email="a@customers.example")
    shop.email = "b@customers.example"
    shop.save()
    site.push()
    assert site.sent == ["POST /customers", "PATCH /customers/shop-account-7"]


def test_an_update_is_sent_after_the_creation_of_its_customer(site: Site) -> None:
    shop = account()
    site.sandbox.faults.add("lost", method="POST", times=1)
    site.push()
    shop.email = "b@customers.example"
    shop.save()
    site.push_for(minutes=20)
    assert site.sent[0] == "POST /customers"
    assert site.sent[-1] == f"PATCH /customers/shop-account-{shop.pk}"
    assert set(site.sent[1:-1]) == {f"GET /customers/shop-account-{shop.pk}"}


def test_a_customer_that_was_never_queued_is_read_from_its_source(site: Site) -> None:
    [shop] = Account.objects.bulk_create([Account(email="a@customers.example", partner_key="gstest")])
    shop = Account.objects.get()
    payment(shop)
    site.push()
    assert site.sent == ["POST /customers", "POST /transactions"]


class ReplicaRouter:
    """A router that reads from a replica, which does not have the newest rows yet."""

    def db_for_read(self, model: Any, **hints: Any) -> str:
        return "replica"

    def db_for_write(self, model: Any, **hints: Any) -> str:
        return "default"


def test_a_customer_is_read_where_it_was_written(site: Site) -> None:
    Account.objects.bulk_create([Account(email="a@customers.example", partner_key="gstest")])
    payment(Account.objects.get())
    with override_settings(DATABASE_ROUTERS=[f"{__name__}.ReplicaRouter"]):
        claim(site.worker.throttle, site.worker.delivered, 0, lease=site.worker.lease)
    assert message("customers.create").state == "ready"


def test_a_customer_keeps_the_key_of_its_first_message(site: Site) -> None:
    Account.objects.bulk_create([Account(name="new-key", email="a@customers.example", partner_key="gstest")])
    payment(Account.objects.get())
    with override_settings(PARTNERSTACK_CUSTOMER_KEY="tests.shop.keys.by_name"):
        site.push()
    key = f"shop-account-{Account.objects.get().pk}"
    assert site.effects("customers.create") == {key: 1}
    assert message("transactions.create").payload["customer_external_key"] == key


def test_a_payment_of_a_customer_without_a_source_waits(site: Site, accounts: dict[Any, Any]) -> None:
    accounts.clear()
    payment(account())
    site.push()
    assert message("transactions.create").state == "waiting"
    assert message("transactions.create").reason == "The customer was not reported yet."


def query_a_missing_table(account: Account) -> Any:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nothing FROM nowhere")


@pytest.mark.parametrize("source", [lambda account: 1 / 0, query_a_missing_table])
def test_a_payment_waits_if_the_source_of_its_customer_fails(
    site: Site, accounts: dict[Any, Any], source: Any
) -> None:
    [shop] = Account.objects.bulk_create([Account(email="a@customers.example", partner_key="gstest")])
    shop, right = Account.objects.get(), accounts[Account]
    accounts[Account] = source
    payment(shop)
    site.push()
    waiting = message("transactions.create")
    assert (waiting.state, "The source of shop.account failed" in waiting.reason) == ("waiting", True)
    accounts[Account] = right
    actions.retry(waiting)
    site.push()
    assert site.sent == ["POST /customers", "POST /transactions"]


@pytest.mark.parametrize(
    "data",
    [
        {"email": f"{'a' * 300}@customers.example"},
        {"email": "a@customers.example", "provider_key": "x" * 300},
        {"email": "a@customers.example", "name": "NUL \0"},
    ],
)
def test_a_payment_waits_if_its_customer_cannot_be_queued(
    site: Site, accounts: dict[Any, Any], data: dict[str, str]
) -> None:
    [shop] = Account.objects.bulk_create([Account(email="a@customers.example")])
    source = accounts[Account]
    bad = sources.CustomerData(partner_key="gstest", **data)
    accounts[Account] = lambda account: bad if account.pk == shop.pk else source(account)
    track.purchase(shop, amount=4900, currency="USD", key="inv_1")
    track.purchase(account(), amount=4900, currency="USD", key="inv_2")
    site.push()
    waiting, delivered = messages("transactions.create")
    assert (waiting.state, "InvalidArgument" in waiting.reason) == ("waiting", True)
    assert delivered.state == "delivered"


def test_a_payment_waits_if_the_model_of_its_customer_was_removed(site: Site) -> None:
    payment(account())
    CustomerIdentity.objects.update(table="gone_model", model="gone.model")
    OutboxMessage.objects.filter(operation="customers.save").delete()
    site.push()
    assert message("transactions.create").state == "waiting"
    assert "partnerstack_relabel gone.model NEW" in message("transactions.create").reason


def test_newer_data_replace_a_refused_creation(site: Site, refused: Account) -> None:
    refused.email = "better@customers.example"
    refused.save()
    site.push()
    assert [each.state for each in messages("customers.create")] == ["cancelled", "delivered"]
    assert message("transactions.create").state == "delivered"
    assert site.sandbox.objects("customers")[0]["email"] == "better@customers.example"


def test_newer_data_replace_older_data_that_wait_for_a_refused_creation(site: Site, refused: Account) -> None:
    for partner_key in ("", "gstest"):
        refused.partner_key, refused.email = partner_key, f"new{partner_key}@customers.example"
        refused.save()
        site.push()
    assert [each.state for each in messages(subject=f"shop-account-{refused.pk}")] == [
        "cancelled",
        "cancelled",
        "delivered",
    ]
    assert site.sandbox.objects("customers")[0]["email"] == "newgstest@customers.example"


def test_newer_data_update_a_customer_that_was_created_after_all(site: Site) -> None:
    shop = account()
    site.push()
    OutboxMessage.objects.update(state="dead", in_doubt_since=site.clock.at)
    lane = lane_of(shop)
    lane.status = "blocked"
    lane.save()
    shop.email = "newer@customers.example"
    shop.save()
    site.push_for(hours=1)
    assert site.sandbox.objects("customers")[0]["email"] == "newer@customers.example"
    assert site.effects("customers.create") == {f"shop-account-{shop.pk}": 1}


def test_newer_data_follow_a_creation_in_doubt_that_keeps_the_older_data(site: Site) -> None:
    shop = account(email="old@customers.example")
    site.fail("lost", times=None)
    site.push()
    OutboxMessage.objects.update(state="dead")
    OutboxLane.objects.update(status="blocked")
    shop.email = "newer@customers.example"
    shop.save()
    site.sandbox.faults.clear()
    site.push_for(hours=1)
    creation, update = messages()
    assert (creation.operation, creation.state) == ("customers.create", "delivered")
    assert creation.payload["email"] == "old@customers.example"
    assert (update.operation, update.state) == ("customers.update", "delivered")
    assert site.sandbox.objects("customers")[0]["email"] == "newer@customers.example"
    assert site.effects("customers.create") == {f"shop-account-{shop.pk}": 1}


def test_a_creation_in_doubt_gets_the_partner_of_the_newer_data(site: Site) -> None:
    shop = account(partner_key="wrong")
    site.push()
    OutboxMessage.objects.update(state="dead", in_doubt_since=site.clock.at)
    OutboxLane.objects.update(status="blocked")
    shop.partner_key = "gstest"
    shop.save()
    site.push_for(hours=1)
    assert {each.state for each in messages()} == {"delivered"}
    assert site.sandbox.objects("customers")[0]["partner_key"] == "gstest"


def test_data_without_a_partner_do_not_replace_a_refused_creation(site: Site, refused: Account) -> None:
    refused.partner_key = ""
    refused.save()
    site.push()
    assert (message("customers.create").state, message("customers.update").state) == ("dead", "blocked")


def test_a_skipped_payment_is_never_sent(site: Site) -> None:
    payment(account(), paid=False)
    site.push()
    assert message("transactions.create").state == "skipped"
    assert site.sent == ["POST /customers"]
