"""Look-ups: what they find counts only if it agrees, and they end in a decision or ask an operator."""

from __future__ import annotations

from typing import Any

import pytest

from django_partnerstack.models import Customer, OutboxMessage
from django_partnerstack.outbox.control import actions
from django_partnerstack.outbox.delivery import look_up
from django_partnerstack.signals import push_failed
from tests.outbox.site import Site, account, lane_of, message, payment, states

pytestmark = pytest.mark.django_db


def belongs_to_another_site(site: Site, key: str, **fields: Any) -> None:
    defaults = {"email": "other@elsewhere.example", "partner_key": "gstest"}
    site.sandbox.create("customers", customer_key=key, **{**defaults, **fields})


@pytest.mark.parametrize("duplicates", ["409", "400", "200"])
def test_the_customer_of_another_site_is_not_taken_for_ours(site: Site, duplicates: Any) -> None:
    site.sandbox.behaviour.change(duplicates=duplicates)
    shop = account()
    paid = payment(shop)
    belongs_to_another_site(site, f"shop-account-{shop.pk}")
    site.push_for(hours=1)
    failed = message("customers.create")
    assert failed.state == "dead"
    assert (
        f"PartnerStack has shop-account-{shop.pk} with another email: o…@elsewhere.example." in failed.reason
    )
    assert ("already exists" in failed.reason) == (duplicates != "200")
    assert "other@" not in failed.reason
    assert not Customer.objects.exists()
    assert states()[f"transactions.create payment-{paid.pk}"] == "blocked"
    assert lane_of(shop).status == "blocked"


def test_the_customer_of_another_site_is_not_found_after_a_lost_answer(site: Site) -> None:
    shop = account()
    site.fail("status", status=500)
    belongs_to_another_site(site, f"shop-account-{shop.pk}")
    site.push_for(hours=1)
    assert message("customers.create").state == "dead"
    assert "another email" in message("customers.create").reason


@pytest.mark.parametrize("privacy", ["hashed", "none"])
def test_no_part_of_a_foreign_address_is_shown_if_addresses_must_not_be_sent(
    site: Site, settings: Any, privacy: str
) -> None:
    settings.PARTNERSTACK_PRIVACY = privacy
    shop = account()
    belongs_to_another_site(site, f"shop-account-{shop.pk}")
    site.push_for(hours=1)
    assert message("customers.create").reason.endswith(
        f"PartnerStack has shop-account-{shop.pk} with another email."
    )


@pytest.mark.parametrize("privacy", ["full", "contact", "hashed", "none"])
def test_a_customer_that_was_sent_is_found_by_the_address_that_was_sent(
    site: Site, settings: Any, privacy: str
) -> None:
    settings.PARTNERSTACK_PRIVACY = privacy
    shop = account(email="Ada@Customers.Example")
    site.fail("lost")
    site.push()
    key = f"shop-account-{shop.pk}"
    [customer] = site.sandbox.objects("customers")
    site.sandbox.change("customers", key, email=customer["email"].lower())
    site.push_for(hours=1)
    assert message("customers.create").state == "delivered"
    assert site.effects("customers.create") == {key: 1}


@pytest.mark.parametrize(
    ("field", "value"), [("amount", 1), ("currency", "EUR"), ("customer", "another customer")]
)
def test_another_payment_under_the_same_key_is_not_taken_for_ours(
    site: Site, paid: Any, field: str, value: Any
) -> None:
    other = account(email="b@customers.example")
    OutboxMessage.objects.filter(operation="transactions.create").update(state="held")
    site.push()
    owner = f"shop-account-{other.pk if field == 'customer' else paid.account_id}"
    [customer] = [each["key"] for each in site.sandbox.objects("customers") if each["customer_key"] == owner]
    content = {"amount": 4900, "currency": "USD", **({field: value} if field != "customer" else {})}
    site.sandbox.create("transactions", key=f"payment-{paid.pk}", customer=customer, **content)
    actions.release(message("transactions.create"))
    site.push_for(hours=1)
    failed = message("transactions.create")
    assert failed.state == "dead"
    name = "customer_external_key" if field == "customer" else field
    assert f"PartnerStack has payment-{paid.pk} with another {name}: " in failed.reason
    assert site.effects("transactions.create") == {}


def refuse_duplicate_addresses(site: Site) -> None:
    site.sandbox.faults.add("status", method="POST", path="/api/v2/customers", status=409)


def test_a_conflict_about_something_else_keeps_partnerstacks_words(site: Site) -> None:
    """Two customers with one address, which PartnerStack may refuse."""
    shop = account()
    refuse_duplicate_addresses(site)
    site.push_for(minutes=14)
    waiting = message("customers.create")
    assert (waiting.state, waiting.reason) == ("unknown", "POST /customers: 409 Fault on demand")
    site.push_for(minutes=2)
    failed = message("customers.create")
    assert failed.state == "dead"
    assert failed.reason.startswith("POST /customers: 409 Fault on demand. PartnerStack has nothing under")
    assert site.sent.count("POST /customers") == 1
    assert failed.subject == f"shop-account-{shop.pk}"


def test_a_conflict_without_a_grace_fails_at_once(site: Site) -> None:
    account()
    refuse_duplicate_addresses(site)
    site.push(site.new_worker(grace_seconds=0))
    assert message("customers.create").state == "dead"


def test_what_partnerstack_does_not_show_is_no_difference(site: Site, paid: Any) -> None:
    site.fail("lost")
    site.push()
    site.sandbox.change("transactions", f"payment-{paid.pk}", customer=None)
    site.push_for(hours=1)
    assert message("transactions.create").state == "delivered"


def many_payments(site: Site, number: int) -> None:
    customer = site.sandbox.objects("customers")[0]["key"]
    for each in range(number):
        site.sandbox.create("transactions", key=f"other-{each}", customer=customer)


def look_ups(site: Site) -> list[str]:
    return [str(each.url) for each in site.adapter.requests if each.method == "GET"]


def test_a_long_look_up_goes_on_where_it_stopped(
    site: Site, paid: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(look_up, "TURN", 1)
    site.fail("lost")
    site.push()
    many_payments(site, 600)
    site.push_for(minutes=1)
    assert message("transactions.create").state == "delivered"
    cursors = [url.partition("starting_after=")[2].partition("&")[0] for url in look_ups(site)]
    assert len(cursors) == len(set(cursors)) >= 2
    assert message("transactions.create").look_up is None


def test_pages_that_were_read_before_the_grace_ended_do_not_show_that_nothing_was_created(
    site: Site, paid: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(look_up, "TURN", 1)
    site.sandbox.behaviour.change(read_lag=880, duplicates="accepted")
    site.fail("lost")
    site.push()
    many_payments(site, 600)
    site.push_for(hours=1)
    assert message("transactions.create").state == "delivered"
    assert site.effects("transactions.create") == {f"payment-{paid.pk}": 1}


def test_a_list_without_end_is_left_to_an_operator(
    site: Site, paid: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(look_up, "MOST_REQUESTS", 3)
    signalled: list[str] = []

    def receive(state: str, **kwargs: Any) -> None:
        signalled.append(state)

    push_failed.connect(receive)
    many_payments(site, 1000)
    site.fail("status", status=500)
    site.push_for(hours=1)
    push_failed.disconnect(receive)
    held = message("transactions.create")
    assert (held.state, held.in_doubt_since is not None, signalled) == ("held", True, ["held"])
    assert "cannot be settled automatically: the list for the look-up has more than 3 pages." in held.reason
    assert site.sent.count("POST /transactions") == 1


def test_a_turn_reads_at_most_twenty_pages_and_others_are_sent_meanwhile(
    site: Site, paid: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    many_payments(site, 30)
    list_of = site.sandbox.handle

    def small_pages(method: str, target: str, *rest: Any) -> Any:
        return list_of(method, target.replace("limit=250", "limit=1"), *rest)

    monkeypatch.setattr(site.sandbox, "handle", small_pages)
    site.fail("status", status=500)
    site.push()
    site.clock.advance(minutes=16)
    site.push()
    assert len(look_ups(site)) == look_up.TURN
    account(email="b@customers.example")
    site.push_for(seconds=1)
    assert message("customers.create", subject__endswith=str(paid.account_id + 1)).state == "delivered"
    site.push_for(minutes=5)
    assert message("transactions.create").state == "delivered"


def test_a_look_up_that_fails_for_days_needs_attention(site: Site, paid: Any) -> None:
    site.sandbox.faults.add("status", method="GET", path="/api/v2/transactions", status=400)
    site.fail("lost")
    site.push_for(days=2, hours=23)
    assert message("transactions.create").state == "unknown"
    site.push_for(hours=3)
    held = message("transactions.create")
    assert (held.state, held.in_doubt_since is not None) == ("held", True)
    assert "the look-up has failed for 3 days. GET /transactions: 400" in held.reason
    assert site.sent.count("POST /transactions") == 1
    site.sandbox.faults.clear()
    actions.release(held)
    site.push_for(minutes=1)
    assert message("transactions.create").state == "delivered"
    assert site.effects("transactions.create") == {f"payment-{paid.pk}": 1}


@pytest.mark.parametrize("duplicates", ["409", "accepted"])
def test_a_payment_in_doubt_that_an_operator_held_is_looked_up_before_its_release_sends_it(
    site: Site, paid: Any, duplicates: Any
) -> None:
    site.sandbox.behaviour.change(duplicates=duplicates)
    site.fail("lost")
    site.push()
    actions.hold(message("transactions.create"))
    actions.release(message("transactions.create"))
    site.push_for(hours=1)
    assert message("transactions.create").state == "delivered"
    assert site.sent.count("POST /transactions") == 1
    assert site.effects("transactions.create") == {f"payment-{paid.pk}": 1}


def test_the_time_of_a_conflict_counts_from_its_answer(site: Site, paid: Any) -> None:
    """Another attempt, which was sent late, can be the cause."""
    site.fail("status", status=500)
    site.push()
    site.clock.advance(minutes=20)
    site.fail("status", status=409)
    site.push()
    assert message("transactions.create").state == "unknown"
    assert message("transactions.create").in_doubt_since == site.clock.at
    customer = site.sandbox.objects("customers")[0]["key"]
    site.clock.advance(minutes=4)
    site.sandbox.create(
        "transactions", key=f"payment-{paid.pk}", amount=4900, currency="USD", customer=customer
    )
    site.push_for(minutes=20)
    assert message("transactions.create").state == "delivered"
