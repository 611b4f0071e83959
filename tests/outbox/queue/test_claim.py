"""Claims: which message a worker may send, and until when."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from django_partnerstack import track
from django_partnerstack.models import OutboxLane, OutboxMessage, State
from django_partnerstack.outbox.queue.claim import claim, is_anything_due
from django_partnerstack.outbox.queue.new_message import customer_lane
from tests.outbox.site import Site, account, lane_of, message, messages, payment, states

pytestmark = pytest.mark.django_db


def claim_now(site: Site, limit: int = 8, **options: Any) -> list[Any]:
    return list(
        claim(site.worker.throttle, site.worker.delivered, limit, lease=site.worker.lease, **options).claimed
    )


def test_a_claimed_message_is_sending_before_anything_is_sent(site: Site) -> None:
    account()
    [claimed] = claim_now(site)
    found = message("customers.create")
    assert (found.state, found.attempts, found.lease_token) == ("sending", 1, claimed.lease_token)
    assert found.lease_expires_at == claimed.lease_expires_at == site.clock.at + site.worker.lease
    assert site.sent == []


@pytest.mark.django_db(transaction=True)
def test_the_claim_is_committed_before_anything_is_sent() -> None:
    site, seen = Site(), []

    def look_at_states(request: Any, **kwargs: Any) -> Any:
        thread = threading.Thread(target=lambda: (seen.append(states()), connection.close()))
        thread.start()
        thread.join()
        return send(request, **kwargs)

    send, site.adapter.send = site.adapter.send, look_at_states  # type: ignore[method-assign]
    shop = account()
    site.push()
    assert seen == [{f"customers.create shop-account-{shop.pk}": "sending"}]


def test_only_the_first_message_of_a_lane_is_claimed(site: Site) -> None:
    shop = account()
    payment(shop), payment(shop)
    assert [each.message.operation for each in claim_now(site)] == ["customers.create"]
    assert claim_now(site) == []


def test_the_messages_of_a_customer_are_sent_in_order(site: Site) -> None:
    shop = account()
    paid = [payment(shop) for _ in range(3)]
    track.event(shop, "demo")
    site.push()
    assert site.sent == ["POST /customers", *["POST /transactions"] * 3, "POST /actions"]
    keys = [each["key"] for each in reversed(site.sandbox.objects("transactions"))]
    assert keys == [f"payment-{each.pk}" for each in paid]


def test_customers_do_not_wait_for_each_other(site: Site) -> None:
    [payment(account(email=f"{name}@customers.example")) for name in "ab"]
    [slow, quick] = claim_now(site, 2)
    site.worker.attempts.run(quick)
    site.push()
    assert message("transactions.create", lane=quick.message.lane).state == "delivered"
    assert message("transactions.create", lane=slow.message.lane).state == "ready"


def test_a_message_queued_while_another_is_sent_is_sent_next(site: Site) -> None:
    shop = account()
    [claimed] = claim_now(site)
    payment(shop)
    assert claim_now(site) == []
    site.worker.attempts.run(claimed)
    site.push()
    assert message("transactions.create").state == "delivered"


def test_a_lane_without_messages_to_send_is_not_due(site: Site) -> None:
    shop = account()
    site.push()
    assert lane_of(shop).due_at is None


def test_only_the_given_lanes_are_claimed(site: Site) -> None:
    wanted, other = account(), account(email="b@customers.example")
    claimed = claim_now(site, lanes=[lane_key(wanted)])
    assert [each.message.source_pk for each in claimed] == [str(wanted.pk)]
    assert message("customers.create", source_pk=str(other.pk)).state == "ready"


def lane_key(shop: Any) -> str:
    return customer_lane(f"shop-account-{shop.pk}")


def test_all_queued_messages_are_sequenced_in_several_batches(site: Site) -> None:
    shop = account(partner_key="")
    rows = [
        OutboxMessage(
            mode="test", lane=f"customer:x{number}", operation="customers.save", subject=f"x{number}",
            payload={"customer_key": f"x{number}", "email": "x@customers.example", "partner_key": ""},
            queued_at=site.clock.at,
        )
        for number in range(1200)
    ]  # fmt: skip
    OutboxMessage.objects.bulk_create(rows)
    shop.partner_key = "gstest"
    shop.save()
    site.push()
    assert not messages(state=State.QUEUED)
    assert site.effects("customers.create") == {f"shop-account-{shop.pk}": 1}


def test_the_lane_of_a_lost_worker_is_due_when_its_lease_expires(site: Site) -> None:
    account()
    claim_now(site)
    site.clock.advance(seconds=site.worker.lease.total_seconds() - 1)
    assert claim_now(site) == []
    site.clock.advance(seconds=1)
    [claimed] = claim_now(site)
    assert claimed.message.attempts == 2


def test_the_message_of_a_lost_worker_is_in_doubt_since_its_lease_expired(site: Site) -> None:
    account()
    [first] = claim_now(site)
    site.clock.advance(hours=1)
    [second] = claim_now(site)
    assert second.message.in_doubt_since == first.lease_expires_at
    assert second.lease_token != first.lease_token


def test_a_worker_that_has_lost_its_lease_sends_nothing(site: Site) -> None:
    account()
    [claimed] = claim_now(site)
    site.clock.advance(seconds=site.worker.lease.total_seconds() - 30)
    assert site.worker.attempts.run(claimed) == "ready"
    assert site.sent == []
    assert message("customers.create").attempts == 0


def test_a_worker_that_has_lost_its_lease_writes_nothing(site: Site) -> None:
    account()
    [first] = claim_now(site)
    site.clock.advance(hours=1)
    [second] = claim_now(site)
    site.clock.at -= timedelta(hours=1)
    assert site.worker.attempts.run(first) == "lost"
    found = message("customers.create")
    assert (found.state, found.lease_token) == ("sending", second.lease_token)


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif("connection.vendor == 'sqlite'", reason="SQLite lets one transaction in at a time")
def test_a_message_whose_outcome_is_saved_as_the_lease_expires_is_not_claimed_again() -> None:
    site = Site()
    account()
    [claimed] = claim_now(site)
    site.clock.advance(hours=1)
    saved, go_on = threading.Event(), threading.Event()

    def save_outcome_slowly() -> None:
        with transaction.atomic():
            OutboxMessage.objects.filter(lease_token=claimed.lease_token).update(
                state=State.DELIVERED, lease_token=""
            )
            saved.set()
            go_on.wait(10)
        connection.close()

    slow = threading.Thread(target=save_outcome_slowly)
    slow.start()
    assert saved.wait(10)
    threading.Timer(0.3, go_on.set).start()
    again = claim_now(site)
    slow.join()
    assert again == []
    assert message("customers.create").state == "delivered"


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif("connection.vendor == 'sqlite'", reason="SQLite lets one transaction in at a time")
def test_two_workers_never_claim_the_same_message() -> None:
    site = Site()
    for number in range(40):
        account(email=f"a{number}@customers.example")
    claimed = [each.message.pk for each in claim_now(site, 1)]

    def take() -> None:
        worker = site.new_worker()
        while batch := claim(worker.throttle, worker.delivered, 3, lease=worker.lease).claimed:
            claimed.extend(each.message.pk for each in batch)
        connection.close()

    team = [threading.Thread(target=take) for _ in range(4)]
    [thread.start() for thread in team]
    [thread.join() for thread in team]
    assert sorted(claimed) == [each.pk for each in messages()]


@pytest.mark.skipif("connection.vendor != 'mysql'", reason="Other databases return their time with its zone.")
@pytest.mark.django_db(transaction=True)
def test_a_server_that_is_not_on_utc_knows_what_is_due() -> None:
    site = Site()
    account()
    site.push()
    OutboxLane.objects.update(due_at=timezone.now() - timedelta(minutes=1))
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET time_zone = '-05:00'")
            assert is_anything_due("test")
            OutboxLane.objects.update(due_at=timezone.now() + timedelta(hours=1))
            cursor.execute("SET time_zone = '+05:00'")
            assert not is_anything_due("test")
    finally:
        connection.close()


def test_a_polling_worker_is_told_of_what_is_new_and_what_is_due_in_its_mode(site: Site) -> None:
    site.push()
    assert not is_anything_due("test")
    shop = account()
    assert is_anything_due("test")
    site.push()
    assert not is_anything_due("test")
    lane = OutboxLane.objects.filter(pk=lane_of(shop).pk)
    for due, seconds in ((False, 60), (True, -60)):
        lane.update(due_at=timezone.now() + timedelta(seconds=seconds))
        assert is_anything_due("test") is due
    lane.update(mode="production")
    OutboxMessage.objects.update(mode="production", state="new")
    assert not is_anything_due("test")
