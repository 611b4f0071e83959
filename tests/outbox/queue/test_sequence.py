"""Sequencing: creations, updates, organic customers and blocked messages."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import override_settings
from django.utils import timezone

from django_partnerstack import sources, track
from django_partnerstack.models import Customer, OutboxMessage, Transaction
from django_partnerstack.outbox.control import actions
from django_partnerstack.outbox.queue.claim import claim
from django_partnerstack.outbox.queue.retention import prune
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
    assert Customer.objects.get().email == shop.email
    assert Transaction.objects.get().amount == 4900


def test_a_payment_and_its_balance_are_both_in_the_mirror(site: Site) -> None:
    track.purchase(account(partner_key=""), amount=4900, currency="USD", key="inv_1")
    track.refund("inv_1", amount=900)
    site.push()
    assert dict(Transaction.objects.values_list("key", "amount")) == {"inv_1": 4900, "inv_1-r1": 4000}


def test_a_late_partner_releases_the_payments_inside_the_window(site: Site) -> None:
    shop = account(partner_key="")
    old, recent = payment(shop), payment(shop)
    queued = OutboxMessage.objects.filter(source_pk=str(old.pk), source="shop.payment")
    queued.update(queued_at=site.clock.at - timedelta(days=91))
    site.push()
    shop.partner_key = "gstest"
    shop.save()
    site.push()
    assert site.effects("transactions.create") == {f"payment-{recent.pk}": 1}
    assert queued.get().state == "organic"
    assert "too long before" in queued.get().reason


def test_the_balance_of_a_payment_outside_the_window_is_not_sent(site: Site) -> None:
    shop = account(partner_key="")
    track.purchase(shop, amount=4900, currency="USD", key="inv_1")
    OutboxMessage.objects.update(queued_at=site.clock.at - timedelta(days=91))
    track.refund("inv_1", amount=900)
    site.push()
    shop.partner_key = "gstest"
    shop.save()
    site.push()
    track.refund("inv_1", amount=900)
    site.push()
    assert "POST /transactions" not in site.sent
    assert "DELETE /transactions/inv_1" not in site.sent


def test_a_customer_that_partnerstack_has_already_is_updated(site: Site) -> None:
    Customer.objects.create(mode="test", key="cus_1", customer_key="account-7")
    site.sandbox.create("customers", customer_key="account-7", key="cus_1")
    shop = account(pk=7, partner_key="")
    payment(shop)
    site.push()
    assert site.sent == ["PATCH /customers/account-7", "POST /transactions"]


def test_an_update_is_sent_after_the_creation_of_its_customer(site: Site) -> None:
    shop = account()
    site.sandbox.faults.add("lost", method="POST", times=1)
    site.push()
    shop.email = "b@customers.example"
    shop.save()
    site.push_for(minutes=20)
    assert site.sent[0] == "POST /customers"
    assert site.sent[-1] == f"PATCH /customers/account-{shop.pk}"
    assert set(site.sent[1:-1]) == {f"GET /customers/account-{shop.pk}"}


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


def test_a_payment_is_put_on_hold_if_its_customer_would_get_another_key(site: Site) -> None:
    Account.objects.bulk_create([Account(name="new-key", email="a@customers.example", partner_key="gstest")])
    payment(Account.objects.get())
    with override_settings(PARTNERSTACK_CUSTOMER_KEY="tests.shop.keys.by_name"):
        site.push()
    assert message("transactions.create").state == "held"
    assert "new-key" in message("transactions.create").reason
    assert site.sent == []


def test_a_customer_without_a_source_is_organic(site: Site, accounts: dict[Any, Any]) -> None:
    accounts.clear()
    payment(account())
    site.push()
    assert message("transactions.create").state == "organic"
    assert message("transactions.create").reason == "The customer was never reported."


def query_a_missing_table(account: Account) -> Any:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nothing FROM nowhere")


@pytest.mark.parametrize("source", [lambda account: 1 / 0, query_a_missing_table])
def test_a_payment_is_put_on_hold_if_the_source_of_its_customer_fails(
    site: Site, accounts: dict[Any, Any], source: Any
) -> None:
    [shop] = Account.objects.bulk_create([Account(email="a@customers.example", partner_key="gstest")])
    shop, right = Account.objects.get(), accounts[Account]
    accounts[Account] = source
    payment(shop)
    site.push()
    on_hold = message("transactions.create")
    assert (on_hold.state, "The source of shop.account failed" in on_hold.reason) == ("held", True)
    accounts[Account] = right
    actions.release(on_hold)
    site.push()
    assert site.sent == ["POST /customers", "POST /transactions"]


def test_a_payment_is_put_on_hold_if_the_model_of_its_customer_was_removed(site: Site) -> None:
    payment(account())
    OutboxMessage.objects.update(customer_source="gone.model")
    OutboxMessage.objects.filter(operation="customers.save").delete()
    site.push()
    assert message("transactions.create").state == "held"
    assert "LookupError" in message("transactions.create").reason


@pytest.fixture
def refused(site: Site) -> Account:
    """A customer whose creation PartnerStack refused, with a payment."""
    shop = account()
    payment(shop)
    site.sandbox.faults.add("status", status=400, method="POST", times=1)
    site.push()
    assert lane_of(shop).status == "blocked"
    return shop


def test_a_refused_customer_blocks_its_payments(site: Site, refused: Account) -> None:
    payment(refused)
    site.push()
    assert message("customers.create").state == "dead"
    assert {each.state for each in messages("transactions.create")} == {"blocked"}
    assert all("Depends on" in each.reason for each in messages("transactions.create"))


def test_newer_data_replace_a_refused_creation(site: Site, refused: Account) -> None:
    refused.email = "better@customers.example"
    refused.save()
    site.push()
    assert [each.state for each in messages("customers.create")] == ["cancelled", "delivered"]
    assert message("transactions.create").state == "delivered"
    assert site.sandbox.objects("customers")[0]["email"] == "better@customers.example"


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
    assert site.effects("customers.create") == {f"account-{shop.pk}": 1}


def test_data_without_a_partner_do_not_replace_a_refused_creation(site: Site, refused: Account) -> None:
    refused.partner_key = ""
    refused.save()
    site.push()
    assert (message("customers.create").state, message("customers.update").state) == ("dead", "blocked")


def test_texts_too_long_for_the_mirror_do_not_stop_other_customers(site: Site) -> None:
    shop, other = account(), account(email="b@customers.example")
    track.signup(shop, name="n" * 300, email=f"{'e' * 300}@customers.example", partner_key="p" * 300)
    site.push()
    assert message("customers.create", source_pk=str(other.pk)).state == "delivered"
    assert {each.state for each in messages(source_pk=str(shop.pk))} == {"delivered", "dead"}


def test_a_skipped_payment_is_never_sent(site: Site) -> None:
    payment(account(), paid=False)
    site.push()
    assert message("transactions.create").state == "skipped"
    assert site.sent == ["POST /customers"]


def test_pruning_keeps_unfinished_messages_and_what_later_ones_are_compared_with(site: Site) -> None:
    shop = account()
    payment(shop)
    site.push()
    shop.email = "b@customers.example"
    shop.save()
    payment(shop, paid=False)
    site.push()
    site.sandbox.faults.add("status", status=400, times=1)
    payment(shop, total="5.00")
    site.push()
    track.event(shop, "demo")
    site.sandbox.faults.add("lost", times=1)
    site.push()
    prune("test", timezone.now() + timedelta(days=1))
    assert sorted((each.operation, each.state) for each in messages()) == [
        ("actions.create", "held"),
        ("customers.update", "delivered"),
        ("transactions.create", "dead"),
    ]


def test_pruning_keeps_the_other_mode_and_recent_messages(site: Site) -> None:
    payment(account())
    site.push()
    assert prune("production", timezone.now() + timedelta(days=1)) == 0
    assert prune("test", timezone.now() - timedelta(days=1)) == 0
    assert len(messages()) == 2
