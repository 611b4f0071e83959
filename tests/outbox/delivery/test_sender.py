"""The state of a message after each answer of PartnerStack."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import requests
from django.db import connection

from django_partnerstack import track
from django_partnerstack.models import Customer, OutboxMessage, SyncState, ThrottleState, Transaction
from django_partnerstack.outbox.control import actions
from django_partnerstack.outbox.delivery.outcome import ATTEMPTS, in_doubt, retry_delay
from django_partnerstack.outbox.queue.claim import claim
from django_partnerstack.signals import customer_pushed, push_failed, transaction_pushed
from tests.outbox.site import Site, account, message, messages, payment, states

pytestmark = pytest.mark.django_db

GRACE = timedelta(seconds=900)


@pytest.fixture
def paid(site: Site) -> Any:
    """A queued payment of a customer that PartnerStack has."""
    shop = account()
    site.push()
    return payment(shop)


def fail(site: Site, kind: str, method: str = "POST", times: int | None = 1, **details: Any) -> None:
    site.sandbox.faults.add(kind, method=method, path="/api/v2", times=times, **details)


def create_at_partnerstack(site: Site, **transaction: Any) -> None:
    """A payment of the first customer that was reported to PartnerStack by other means."""
    customer = site.sandbox.objects("customers")[0]["key"]
    site.sandbox.create("transactions", currency="USD", customer=customer, **transaction)


def payment_message() -> OutboxMessage:
    return message("transactions.create")


def test_the_record_in_the_response_is_stored_in_the_mirror(site: Site, paid: Any) -> None:
    site.push()
    customer, transaction = Customer.objects.get(), Transaction.objects.get()
    assert (customer.key or "").startswith("cus_")
    assert (customer.test, transaction.test) == (True, True)
    assert transaction.customer_key == customer.key
    assert payment_message().response["key"] == f"payment-{paid.pk}"


def test_responses_of_the_other_mode_are_recorded_as_evidence(settings: Any) -> None:
    settings.PARTNERSTACK_MODE = "production"
    site = Site()
    site.worker = site.new_worker(mode="production")
    payment(account(partner_key="gstest"))
    site.push()
    assert SyncState.objects.mode_mismatch("production") == "test"


def test_a_worker_records_its_mode_evidence_once(site: Site, paid: Any) -> None:
    site.push()
    noted = dict(SyncState.objects.values_list("resource", "test_seen_at"))
    assert noted == {"customers": site.clock.at, "transactions": site.clock.at}
    payment(paid.account)
    site.clock.advance(minutes=1)
    site.push()
    assert dict(SyncState.objects.values_list("resource", "test_seen_at")) == noted


def test_a_refunded_payment_is_archived_in_the_mirror(site: Site, paid: Any) -> None:
    site.push()
    track.refund(f"payment-{paid.pk}")
    site.push()
    assert Transaction.objects.get().archived


@pytest.mark.parametrize("status", [401, 403])
def test_refused_keys_pause_delivery_and_count_as_no_attempt(site: Site, paid: Any, status: int) -> None:
    fail(site, "status", status=status)
    site.push()
    found, throttle = payment_message(), ThrottleState.objects.get()
    assert (found.state, found.attempts, found.in_doubt_since) == ("ready", 0, None)
    assert throttle.paused_until == site.clock.at + timedelta(minutes=5)
    assert str(status) in throttle.pause_reason


def test_refused_keys_cost_a_request_every_five_minutes(site: Site, paid: Any) -> None:
    fail(site, "status", status=401, times=None)
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
    fail(site, "status", status=401, times=8)
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
    fail(site, "status", status=429, retry_after=retry_after)
    site.push()
    found = payment_message()
    assert (found.state, found.attempts) == ("ready", 0)
    assert ThrottleState.objects.get().paused_until == site.clock.at + timedelta(seconds=seconds)
    site.clock.advance(seconds=seconds)
    site.push()
    assert payment_message().state == "delivered"


def test_an_outage_with_a_retry_after_pauses_delivery(site: Site, paid: Any) -> None:
    fail(site, "status", status=503, retry_after=600)
    site.push()
    assert payment_message().state == "unknown"
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
    found = payment_message()
    assert (found.state, found.attempts, found.in_doubt_since) == ("ready", 1, None)
    site.push_for(seconds=10)
    assert payment_message().state == "delivered"
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


@pytest.mark.parametrize(("kind", "details"), IN_DOUBT)
def test_a_message_in_doubt_is_looked_up_and_not_sent_again(
    site: Site, paid: Any, kind: str, details: dict[str, Any]
) -> None:
    fail(site, kind, **details)
    site.push()
    found = payment_message()
    assert (found.state, found.in_doubt_since) == ("unknown", site.clock.at)
    site.push_for(minutes=20)
    assert payment_message().state == "delivered"
    assert payment_message().reason == "Found at PartnerStack; an earlier attempt got through."
    assert site.effects("transactions.create") == {f"payment-{paid.pk}": 1}


@pytest.mark.parametrize(("kind", "details"), IN_DOUBT)
def test_a_customer_in_doubt_is_looked_up_and_adopted(site: Site, kind: str, details: dict[str, Any]) -> None:
    shop = account()
    fail(site, kind, **details)
    site.push_for(minutes=20)
    assert message("customers.create").state == "delivered"
    assert site.effects("customers.create") == {f"account-{shop.pk}": 1}
    assert Customer.objects.get().key


def test_not_found_is_not_trusted_before_the_grace_ends(site: Site, paid: Any) -> None:
    fail(site, "status", status=500)
    site.push_for(seconds=GRACE.total_seconds() - 1)
    assert payment_message().state == "unknown"
    assert site.sent.count("POST /transactions") == 1
    site.push_for(seconds=2)
    assert payment_message().state == "delivered"
    assert site.sent.count("POST /transactions") == 2


def test_look_ups_count_as_no_attempt(site: Site, paid: Any) -> None:
    fail(site, "status", status=500)
    site.push_for(seconds=GRACE.total_seconds() + 1)
    assert site.sent.count("GET /transactions") > 3
    assert payment_message().attempts == 2


def test_a_payment_that_partnerstack_shows_late_is_not_sent_twice(site: Site, paid: Any) -> None:
    site.sandbox.behaviour.change(read_lag=360, duplicates="accepted")
    fail(site, "lost")
    site.push_for(minutes=30)
    assert payment_message().state == "delivered"
    assert site.effects("transactions.create") == {f"payment-{paid.pk}": 1}


def test_a_payment_is_found_among_many_of_the_same_time(site: Site, paid: Any) -> None:
    customer = site.sandbox.objects("customers")[0]["key"]
    fail(site, "lost")
    site.push()
    for number in range(300):
        site.sandbox.create("transactions", key=f"other-{number}", customer=customer)
    site.push_for(minutes=1)
    assert payment_message().state == "delivered"
    assert site.sent.count("GET /transactions") >= 2


def test_the_look_up_of_a_payment_covers_minutes_however_old_it_is(site: Site, paid: Any) -> None:
    fail(site, "status", status=429, times=2, retry_after=3600)
    fail(site, "lost")
    site.push_for(hours=3)
    assert payment_message().sent_at - payment_message().first_sent_at > timedelta(hours=2)
    [look_up, *_] = [each.url for each in site.adapter.requests if each.method == "GET"]
    begin, end = (int(look_up.split(f"{name}=")[1].split("&")[0]) for name in ("min_created", "max_created"))
    assert end - begin < timedelta(minutes=15).total_seconds() * 1000


def test_a_worker_lost_during_a_look_up_does_not_hide_an_earlier_attempt(site: Site, paid: Any) -> None:
    site.sandbox.behaviour.change(duplicates="accepted", read_lag=360)
    fail(site, "lost")
    site.push()
    site.clock.advance(minutes=14)
    claim(site.worker.throttle, site.worker.delivered, 1, lease=site.worker.lease)
    site.push_for(hours=1)
    assert payment_message().state == "delivered"
    assert site.effects("transactions.create") == {f"payment-{paid.pk}": 1}


def test_a_payment_with_an_earlier_date_is_found_by_that_date(site: Site) -> None:
    shop = account()
    site.push()
    moment = site.clock.at - timedelta(days=30)
    track.purchase(shop, amount=1, currency="USD", key="inv_1", created_at=moment)
    fail(site, "lost")
    site.push_for(minutes=20)
    assert payment_message().state == "delivered"
    assert site.effects("transactions.create") == {"inv_1": 1}


def test_a_payment_in_doubt_is_not_sent_while_its_record_cannot_be_read(site: Site, paid: Any) -> None:
    site.sandbox.behaviour.change(duplicates="accepted")
    fail(site, "lost")
    site.push()
    site.sandbox.change("transactions", f"payment-{paid.pk}", amount=2**70)
    site.push_for(hours=1)
    assert payment_message().state == "unknown"
    assert "The look-up failed" in payment_message().reason
    assert site.effects("transactions.create") == {f"payment-{paid.pk}": 1}


@pytest.mark.parametrize("duplicates", ["409", "400", "200"])
def test_a_payment_that_partnerstack_has_already_counts_as_delivered(
    site: Site, paid: Any, duplicates: Any
) -> None:
    site.sandbox.behaviour.change(duplicates=duplicates)
    create_at_partnerstack(site, key=f"payment-{paid.pk}", amount=4900)
    site.push()
    assert payment_message().state == "delivered"
    assert site.effects("transactions.create") == {}


@pytest.mark.parametrize("duplicates", ["409", "400", "200"])
def test_a_payment_that_partnerstack_has_with_another_amount_fails(
    site: Site, paid: Any, duplicates: Any
) -> None:
    site.sandbox.behaviour.change(duplicates=duplicates)
    create_at_partnerstack(site, key=f"payment-{paid.pk}", amount=1)
    site.push()
    assert payment_message().state == "dead"
    assert payment_message().reason == f"PartnerStack has payment-{paid.pk} with another amount: 1, not 4900."


def test_a_customer_that_partnerstack_has_with_another_partner_fails(site: Site) -> None:
    shop = account()
    site.sandbox.create("partnerships", partner_key="other")
    site.sandbox.create("customers", customer_key=f"account-{shop.pk}", partner_key="other")
    site.push()
    assert message("customers.create").state == "dead"
    assert "another partner_key: 'other', not 'gstest'" in message("customers.create").reason


def test_a_conflict_with_an_object_that_cannot_be_found_fails_in_the_end(site: Site, paid: Any) -> None:
    site.push()
    track.refund(f"payment-{paid.pk}")
    site.push()
    OutboxMessage.objects.filter(operation="transactions.create").update(state="ready", attempts=0)
    OutboxMessage.objects.filter(operation="transactions.delete").delete()
    actions.retry(payment_message())
    site.push_for(days=3)
    assert payment_message().state == "dead"
    assert f"Given up after {ATTEMPTS} attempts" in payment_message().reason


def test_a_payment_is_retried_if_its_new_customer_is_not_found_yet(site: Site, paid: Any) -> None:
    fail(site, "status", status=404)
    site.push()
    assert payment_message().state == "ready"
    site.push_for(minutes=1)
    assert payment_message().state == "delivered"


def test_a_payment_fails_if_its_customer_is_not_found_after_the_grace(site: Site, paid: Any) -> None:
    fail(site, "status", status=404, times=None)
    site.push_for(minutes=14)
    assert payment_message().state == "ready"
    site.push_for(hours=2)
    assert payment_message().state == "dead"
    assert "404" in payment_message().reason


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
    fail(site, "status", status=status)
    site.push()
    assert (payment_message().state, payment_message().attempts) == ("dead", 1)
    assert f"POST /transactions: {status} Fault on demand" in payment_message().reason


def test_a_message_that_the_client_refuses_costs_no_request(site: Site) -> None:
    account(name="x" * 100, email="no address")
    site.push()
    assert message("customers.create").state == "dead"
    assert "email must be an e-mail address" in message("customers.create").reason
    assert site.sent == []


def test_an_update_in_doubt_is_sent_again_without_a_look_up(site: Site) -> None:
    shop = account()
    site.push()
    shop.email = "b@customers.example"
    shop.save()
    fail(site, "lost", method="PATCH")
    site.push()
    assert message("customers.update").state == "ready"
    site.push_for(minutes=1)
    assert message("customers.update").state == "delivered"
    assert [each for each in site.sent if each.startswith("GET")] == []


@pytest.mark.parametrize(("kind", "details"), IN_DOUBT)
def test_an_event_in_doubt_is_put_on_hold(site: Site, kind: str, details: dict[str, Any]) -> None:
    shop = account()
    site.push()
    track.event(shop, "demo", key="demo-1")
    fail(site, kind, **details)
    site.push_for(days=3)
    assert message("actions.create").state == "held"
    assert "cannot be looked up" in message("actions.create").reason
    assert site.effects("actions.create") == {"demo-1": 1}


def test_a_payment_whose_look_up_was_interrupted_is_looked_up_again(site: Site, paid: Any) -> None:
    fail(site, "lost")
    site.push()
    site.clock.advance(minutes=20)
    assert claim(site.worker.throttle, site.worker.delivered, 1, lease=site.worker.lease).claimed
    site.push_for(hours=1)
    assert site.effects("transactions.create") == {f"payment-{paid.pk}": 1}
    assert payment_message().state == "delivered"


def test_a_payment_delivered_before_the_database_was_restored_is_found(site: Site, paid: Any) -> None:
    create_at_partnerstack(site, key=f"payment-{paid.pk}", amount=4900)
    site.clock.advance(hours=6)
    site.push()
    assert payment_message().state == "delivered"
    assert payment_message().reason == "Found at PartnerStack; an earlier attempt got through."


def test_a_look_up_is_a_second_later_even_if_the_clock_was_set_back(site: Site, paid: Any) -> None:
    now = site.clock.at
    outcome = in_doubt(payment_message(), "", now, since=now + timedelta(hours=1), grace=GRACE)
    assert outcome.next_attempt_at is not None
    assert now + timedelta(seconds=0.5) <= outcome.next_attempt_at <= now + timedelta(seconds=1)


def test_an_event_whose_worker_was_lost_is_put_on_hold(site: Site) -> None:
    shop = account()
    site.push()
    track.event(shop, "demo")
    claim(site.worker.throttle, site.worker.delivered, 1, lease=site.worker.lease)
    site.push_for(hours=1)
    assert message("actions.create").state == "held"
    assert "its worker was lost" in message("actions.create").reason
    assert site.effects("actions.create") == {}


def test_an_event_on_hold_does_not_block_its_customer(site: Site) -> None:
    shop = account()
    site.push()
    fail(site, "lost")
    track.event(shop, "demo")
    payment(shop)
    site.push()
    assert payment_message().state == "delivered"


def test_a_message_is_not_sent_again_while_its_look_up_fails(site: Site, paid: Any) -> None:
    fail(site, "status", status=400, method="GET", times=None)
    fail(site, "lost")
    site.push_for(hours=2)
    assert payment_message().state == "unknown"
    assert "The look-up failed" in payment_message().reason
    assert site.sent.count("POST /transactions") == 1


def test_a_message_fails_after_its_last_attempt(site: Site) -> None:
    shop = account()
    site.push()
    shop.email = "b@customers.example"
    shop.save()
    fail(site, "html", method="PATCH", times=None)
    site.push_for(days=2)
    found = message("customers.update")
    assert (found.state, found.attempts) == ("dead", ATTEMPTS)
    assert found.reason.startswith(f"Given up after {ATTEMPTS} attempts.")


def test_the_retry_delay_is_random_and_grows_to_an_hour() -> None:
    waits = [retry_delay(30) for _ in range(50)]
    assert max(waits) <= timedelta(hours=1)
    assert len(set(waits)) > 40
    assert max(retry_delay(1) for _ in range(50)) <= timedelta(seconds=2)


def test_a_message_of_an_unknown_operation_fails_alone(site: Site, paid: Any) -> None:
    first = OutboxMessage.objects.create(
        mode="test", lane="partnership:x", operation="rewards.steal", payload={}, queued_at=site.clock.at
    )
    site.push()
    first.refresh_from_db()
    assert (first.state, "KeyError" in first.reason) == ("dead", True)
    assert payment_message().state == "delivered"


@pytest.fixture
def signalled() -> Any:
    """The signals that were sent, each with the stored state of its message."""
    received: list[tuple[Any, ...]] = []

    def receive(signal: Any, message: int, **about: Any) -> None:
        stored = OutboxMessage.objects.get(pk=message).state
        received.append((about["operation"], about["key"], stored, about.get("state"), about.get("record")))

    for signal in (customer_pushed, transaction_pushed, push_failed):
        signal.connect(receive)
    yield received
    for signal in (customer_pushed, transaction_pushed, push_failed):
        signal.disconnect(receive)


def test_a_delivery_is_signalled_after_the_commit(site: Site, signalled: Any) -> None:
    shop = account()
    paid = payment(shop)
    site.push()
    [customer, transaction] = signalled
    assert customer[:4] == ("customers.create", f"account-{shop.pk}", "delivered", None)
    assert transaction[:4] == ("transactions.create", f"payment-{paid.pk}", "delivered", None)
    assert transaction[4].amount == 4900


def test_a_failure_is_signalled_after_the_commit(site: Site, paid: Any, signalled: Any) -> None:
    fail(site, "status", status=400)
    site.push()
    assert signalled == [("transactions.create", f"payment-{paid.pk}", "dead", "dead", None)]


def test_a_failing_receiver_does_not_stop_a_delivery(site: Site, paid: Any, caplog: Any) -> None:
    def fail_to_receive(**kwargs: Any) -> None:
        raise ZeroDivisionError

    transaction_pushed.connect(fail_to_receive)
    site.push()
    transaction_pushed.disconnect(fail_to_receive)
    assert payment_message().state == "delivered"
    assert connection.alias == "default"
    assert messages(state="sending") == []
