"""The state of a message after each answer of PartnerStack."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import requests

from django_partnerstack import track
from django_partnerstack.models import Customer, OutboxMessage, ThrottleState
from django_partnerstack.outbox.control import actions
from django_partnerstack.outbox.queue.claim import claim
from django_partnerstack.outbox.queue.new_message import fingerprint
from tests.outbox.site import Site, account, message, payment, states

pytestmark = pytest.mark.django_db

GRACE = timedelta(seconds=900)


def create_at_partnerstack(site: Site, **transaction: Any) -> None:
    """A payment of the first customer that was reported to PartnerStack by other means."""
    customer = site.sandbox.objects("customers")[0]["key"]
    site.sandbox.create("transactions", currency="USD", customer=customer, **transaction)


@pytest.mark.parametrize("status", [401, 403])
def test_refused_keys_pause_delivery_and_count_as_no_attempt(site: Site, paid: Any, status: int) -> None:
    for method in ("POST", "GET"):
        site.fail("status", method=method, status=status)
    site.push()
    found, throttle = message("transactions.create"), ThrottleState.objects.get()
    assert (found.state, found.attempts, found.in_doubt_since) == ("ready", 0, None)
    assert throttle.paused_until == site.clock.at + timedelta(minutes=5)
    assert throttle.pause_reason.startswith("PartnerStack rejected your API keys")
    assert str(status) in throttle.pause_reason


def test_refused_keys_cost_a_request_every_five_minutes(site: Site, paid: Any) -> None:
    site.fail("status", status=401, times=None)
    site.push()
    sent = len(site.sent)
    site.clock.advance(minutes=4, seconds=59)
    site.push()
    assert len(site.sent) == sent
    site.push_for(minutes=1)
    assert len(site.sent) == sent + 1


def test_delivery_resumes_after_the_keys_are_corrected(site: Site) -> None:
    for number in range(5):
        account(email=f"a{number}@customers.example")
    site.fail("status", status=401, times=8)
    site.push()
    site.sandbox.faults.clear()
    site.clock.advance(minutes=5)
    site.push()
    assert set(states().values()) == {"delivered"}


@pytest.mark.parametrize(("retry_after", "seconds"), [(30, 30), (None, 5), (7200, 3600)])
def test_too_many_requests_pause_delivery_for_as_long_as_partnerstack_asks(
    site: Site, paid: Any, retry_after: int | None, seconds: int
) -> None:
    site.sandbox.behaviour.change(retry_after="seconds" if retry_after else "off")
    site.fail("status", status=429, retry_after=retry_after)
    site.push()
    found = message("transactions.create")
    assert (found.state, found.attempts) == ("ready", 0)
    assert ThrottleState.objects.get().paused_until == site.clock.at + timedelta(seconds=seconds)
    site.clock.advance(seconds=seconds)
    site.push()
    assert message("transactions.create").state == "delivered"


def test_an_outage_with_a_retry_after_pauses_delivery(site: Site, paid: Any) -> None:
    site.fail("status", status=503, retry_after=600)
    site.push()
    assert message("transactions.create").state == "unknown"
    assert ThrottleState.objects.get().paused_until == site.clock.at + timedelta(seconds=600)


class Unreachable(requests.adapters.HTTPAdapter):
    def send(self, *args: Any, **kwargs: Any) -> Any:
        raise requests.ConnectTimeout("no route")


def test_a_request_that_was_not_sent_is_retried_without_a_look_up(site: Site, paid: Any) -> None:
    worker = site.new_worker()
    worker.client._session.mount("https://", Unreachable())
    worker.client._session.adapters.move_to_end("https://api.partnerstack.com/api/v2", last=True)
    worker.client._session.mount("https://api.partnerstack.com/api/v2", Unreachable())
    site.push(worker)
    found = message("transactions.create")
    assert (found.state, found.attempts, found.in_doubt_since) == ("ready", 1, None)
    site.push_for(seconds=10)
    assert message("transactions.create").state == "delivered"
    assert "GET /transactions" not in site.sent


IN_DOUBT = [
    ("lost", {}),
    ("reset", {"after_effect": True}),
    ("empty", {"after_effect": True}),
    ("html", {"after_effect": True}),
    ("truncated", {}),
    ("status", {"status": 500, "after_effect": True}),
    ("status", {"status": 503, "after_effect": True}),
    ("latency", {"seconds": 60}),
]


def test_not_found_is_not_trusted_before_the_grace_ends(site: Site, paid: Any) -> None:
    site.fail("status", status=500)
    site.push_for(seconds=GRACE.total_seconds() - 1)
    assert message("transactions.create").state == "unknown"
    assert site.sent.count("POST /transactions") == 1
    site.push_for(seconds=2)
    assert message("transactions.create").state == "delivered"
    assert site.sent.count("POST /transactions") == 2


def test_a_payment_that_partnerstack_shows_late_is_not_sent_twice(site: Site, paid: Any) -> None:
    site.sandbox.behaviour.change(read_lag=360, duplicates="accepted")
    site.fail("lost")
    site.push_for(minutes=30)
    assert message("transactions.create").state == "delivered"
    assert site.effects("transactions.create") == {f"payment-{paid.pk}": 1}


def test_a_payment_is_found_among_many_of_the_same_time(site: Site, paid: Any) -> None:
    customer = site.sandbox.objects("customers")[0]["key"]
    site.fail("lost")
    site.push()
    for number in range(300):
        site.sandbox.create("transactions", key=f"other-{number}", customer=customer)
    site.push_for(minutes=1)
    assert message("transactions.create").state == "delivered"
    assert site.sent.count("GET /transactions") >= 2


def test_the_look_up_of_a_payment_covers_minutes_however_old_it_is(site: Site, paid: Any) -> None:
    site.fail("status", status=429, times=2, retry_after=3600)
    site.fail("lost")
    site.push_for(hours=3)
    assert message("transactions.create").sent_at - message("transactions.create").first_sent_at > timedelta(
        hours=2
    )
    [look_up, *_] = [each.url for each in site.adapter.requests if each.method == "GET"]
    begin, end = (int(look_up.split(f"{name}=")[1].split("&")[0]) for name in ("min_created", "max_created"))
    assert end - begin < timedelta(minutes=15).total_seconds() * 1000


def test_a_worker_lost_during_a_look_up_does_not_hide_an_earlier_attempt(site: Site, paid: Any) -> None:
    site.sandbox.behaviour.change(duplicates="accepted", read_lag=360)
    site.fail("lost")
    site.push()
    site.clock.advance(minutes=14)
    claim(site.worker.throttle, site.worker.delivered, 1, lease=site.worker.lease)
    site.push_for(hours=1)
    assert message("transactions.create").state == "delivered"
    assert site.effects("transactions.create") == {f"payment-{paid.pk}": 1}


def test_a_payment_with_an_earlier_date_is_found_by_that_date(site: Site) -> None:
    shop = account()
    site.push()
    moment = site.clock.at - timedelta(days=30)
    track.purchase(shop, amount=1, currency="USD", key="inv_1", created_at=moment)
    site.fail("lost")
    site.push_for(minutes=20)
    assert message("transactions.create").state == "delivered"
    assert site.effects("transactions.create") == {"inv_1": 1}


def test_a_payment_in_doubt_is_not_sent_while_its_record_cannot_be_read(site: Site, paid: Any) -> None:
    site.sandbox.behaviour.change(duplicates="accepted")
    site.fail("lost")
    site.push()
    site.sandbox.change("transactions", f"payment-{paid.pk}", amount=2**70)
    site.push_for(hours=1)
    assert message("transactions.create").state == "unknown"
    assert "The look-up failed" in message("transactions.create").reason
    assert site.effects("transactions.create") == {f"payment-{paid.pk}": 1}


@pytest.mark.parametrize("duplicates", ["409", "400", "200"])
def test_a_payment_that_partnerstack_has_already_counts_as_delivered(
    site: Site, paid: Any, duplicates: Any
) -> None:
    site.sandbox.behaviour.change(duplicates=duplicates)
    create_at_partnerstack(site, key=f"payment-{paid.pk}", amount=4900)
    site.push()
    assert message("transactions.create").state == "delivered"
    assert site.effects("transactions.create") == {}


@pytest.mark.parametrize("duplicates", ["409", "400", "200"])
def test_a_payment_that_partnerstack_has_with_another_amount_fails(
    site: Site, paid: Any, duplicates: Any
) -> None:
    site.sandbox.behaviour.change(duplicates=duplicates)
    create_at_partnerstack(site, key=f"payment-{paid.pk}", amount=1)
    site.push()
    failed = message("transactions.create")
    assert failed.state == "dead"
    refusal = {
        "409": f"POST /transactions: 409 Transaction with key 'payment-{paid.pk}' already exists. ",
        "400": f"POST /transactions: 400 Transaction with key 'payment-{paid.pk}' already exists. ",
        "200": "",
    }[duplicates]
    assert failed.reason == f"{refusal}PartnerStack has payment-{paid.pk} with another amount: 1, not 4900."


def test_a_customer_that_partnerstack_has_with_another_partner_fails(site: Site) -> None:
    shop = account()
    site.sandbox.create("partnerships", partner_key="other")
    site.sandbox.create(
        "customers", customer_key=f"shop-account-{shop.pk}", email=shop.email, partner_key="other"
    )
    site.push()
    assert message("customers.create").state == "dead"
    assert "another partner_key: 'other', not 'gstest'" in message("customers.create").reason


def test_a_conflict_with_an_object_that_cannot_be_found_fails_after_the_grace(site: Site, paid: Any) -> None:
    site.push()
    track.refund(f"payment-{paid.pk}")
    site.push()
    OutboxMessage.objects.filter(operation="transactions.create").update(state="ready", attempts=0)
    OutboxMessage.objects.filter(operation="transactions.delete").delete()
    actions.retry(message("transactions.create"))
    site.push_for(seconds=GRACE.total_seconds() - 1)
    assert message("transactions.create").state == "unknown"
    assert "409 Transaction with key" in message("transactions.create").reason
    site.push_for(seconds=2)
    failed = message("transactions.create")
    assert (failed.state, failed.in_doubt_since) == ("dead", None)
    assert failed.reason == (
        f"POST /transactions: 409 Transaction with key 'payment-{paid.pk}' already exists. PartnerStack has "
        f"nothing under the key 'payment-{paid.pk}', so another object is the cause. "
        "Correct the data, then report them again or retry."
    )
    assert site.sent.count("POST /transactions") == 2


def test_a_payment_is_retried_if_its_new_customer_is_not_found_yet(site: Site, paid: Any) -> None:
    site.fail("status", status=404)
    site.push()
    assert message("transactions.create").state == "ready"
    site.push_for(minutes=1)
    assert message("transactions.create").state == "delivered"


def test_a_payment_fails_if_its_customer_is_not_found_after_the_grace(site: Site, paid: Any) -> None:
    site.fail("status", status=404, times=None)
    site.push_for(minutes=14)
    assert message("transactions.create").state == "ready"
    site.push_for(hours=2)
    assert message("transactions.create").state == "dead"
    assert "404" in message("transactions.create").reason


def test_deleting_a_payment_that_partnerstack_no_longer_has_counts_as_delivered(
    site: Site, paid: Any
) -> None:
    site.push()
    site.sandbox.remove("transactions", f"payment-{paid.pk}")
    track.refund(f"payment-{paid.pk}")
    site.push_for(hours=2)
    assert message("transactions.delete").state == "delivered"


@pytest.mark.parametrize("status", [400, 405, 422])
def test_a_refused_message_fails_at_once(site: Site, paid: Any, status: int) -> None:
    site.fail("status", status=status)
    site.push()
    assert (message("transactions.create").state, message("transactions.create").attempts) == ("dead", 1)
    assert f"POST /transactions: {status} Fault on demand" in message("transactions.create").reason


def test_a_message_that_the_client_refuses_costs_no_request(site: Site) -> None:
    account()
    queued = message("customers.save")
    payload = {**queued.payload, "email": "no address"}
    OutboxMessage.objects.update(payload=payload, fingerprint=fingerprint(payload))
    site.push()
    assert message("customers.create").state == "dead"
    assert "email must be an e-mail address" in message("customers.create").reason
    assert site.sent == []


def test_an_update_in_doubt_is_sent_again_without_a_look_up(site: Site) -> None:
    shop = account()
    site.push()
    shop.email = "b@customers.example"
    shop.save()
    site.fail("lost", method="PATCH")
    site.push()
    assert message("customers.update").state == "ready"
    site.push_for(minutes=1)
    assert message("customers.update").state == "delivered"
    assert [each for each in site.sent if each.startswith("GET")] == []


def test_a_payment_whose_look_up_was_interrupted_is_looked_up_again(site: Site, paid: Any) -> None:
    site.fail("lost")
    site.push()
    site.clock.advance(minutes=20)
    assert claim(site.worker.throttle, site.worker.delivered, 1, lease=site.worker.lease).claimed
    site.push_for(hours=1)
    assert site.effects("transactions.create") == {f"payment-{paid.pk}": 1}
    assert message("transactions.create").state == "delivered"


def test_a_payment_delivered_before_the_database_was_restored_is_found(site: Site, paid: Any) -> None:
    create_at_partnerstack(site, key=f"payment-{paid.pk}", amount=4900)
    site.clock.advance(hours=6)
    site.push()
    assert message("transactions.create").state == "delivered"
    assert message("transactions.create").reason == "Found at PartnerStack; an earlier attempt got through."


def test_an_event_on_hold_does_not_block_its_customer(site: Site) -> None:
    shop = account()
    site.push()
    site.fail("lost")
    track.event(shop, "demo")
    payment(shop)
    site.push()
    assert message("transactions.create").state == "delivered"


def test_a_message_is_not_sent_again_while_its_look_up_fails(site: Site, paid: Any) -> None:
    site.fail("status", status=400, method="GET", times=None)
    site.fail("lost")
    site.push_for(hours=2)
    assert message("transactions.create").state == "unknown"
    assert "The look-up failed" in message("transactions.create").reason
    assert site.sent.count("POST /transactions") == 1


@pytest.mark.parametrize("operation", ["customers.create", "transactions.create"])
@pytest.mark.parametrize(("kind", "details"), IN_DOUBT)
def test_a_message_in_doubt_is_looked_up_and_not_sent_again(
    site: Site, kind: str, details: dict[str, Any], operation: str
) -> None:
    shop = account()
    if operation == "transactions.create":
        site.push()
        payment(shop)
    site.fail(kind, **details)
    site.push()
    assert (message(operation).state, message(operation).in_doubt_since) == ("unknown", site.clock.at)
    site.push_for(minutes=20)
    assert message(operation).state == "delivered"
    assert message(operation).reason == "Found at PartnerStack; an earlier attempt got through."
    assert site.effects(operation) == {message(operation).subject: 1}
    assert Customer.objects.get().key


def lose_worker(site: Site) -> None:
    claim(site.worker.throttle, site.worker.delivered, 1, lease=site.worker.lease)


@pytest.mark.parametrize(
    ("kind", "details", "reason", "effects"),
    [(*fault, "cannot be looked up", {"demo-1": 1}) for fault in IN_DOUBT]
    + [("worker lost", {}, "its worker was lost", {})],
)
def test_an_event_in_doubt_is_put_on_hold(
    site: Site, kind: str, details: dict[str, Any], reason: str, effects: dict[str, int]
) -> None:
    shop = account()
    site.push()
    track.event(shop, "demo", key="demo-1")
    if kind == "worker lost":
        lose_worker(site)
    else:
        site.fail(kind, **details)
    site.push_for(days=3)
    assert message("actions.create").state == "held"
    assert reason in message("actions.create").reason
    assert site.effects("actions.create") == effects
