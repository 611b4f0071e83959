"""An attempt: its outcome is saved and signalled even if the database or a receiver of the site fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from threading import Event
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.db.models.signals import post_save

from django_partnerstack import track
from django_partnerstack.models import OutboxMessage, SyncState
from django_partnerstack.outbox.delivery.loop import DeliveryLoop
from django_partnerstack.outbox.queue.claim import Claimed, claim
from django_partnerstack.signals import customer_pushed, event_pushed, push_failed, transaction_pushed
from tests.outbox.site import Site, account, message, messages, payment


def claimed_by(worker: DeliveryLoop, number: int) -> tuple[Claimed, ...]:
    for name in range(number):
        account(email=f"{name}@customers.example")
    return claim(worker.throttle, worker.delivered, number, lease=worker.lease).claimed


def cut(broken: Any) -> Callable[..., Any]:
    """Break a connection; the next connection works."""

    def execute(execute: Callable[..., Any], *query: Any) -> Any:
        if connection.connection is broken:
            raise OperationalError("The server closed the connection.")
        return execute(*query)

    return execute


@pytest.mark.django_db(transaction=True)
def test_a_cut_connection_loses_no_outcome_while_the_worker_stops(site: Site) -> None:
    site.worker.stop()
    for claimed in claimed_by(site.worker, 2):
        with connection.execute_wrapper(cut(connection.connection)):
            assert site.worker.attempts.run(claimed) == "ready"
        site.clock.advance(seconds=20)


def missing(*query: Any) -> Any:
    raise OperationalError("There is no server.")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("stopped", ["never", "by stop()", "by an event", "by its time limit"])
def test_a_stopping_worker_waits_three_seconds_for_a_missing_database(site: Site, stopped: str) -> None:
    worker = site.new_worker(stopping=Event()) if stopped == "by an event" else site.worker
    [claimed] = claimed_by(worker, 1)
    began, patience = site.clock.at, 3.0
    if stopped == "never":
        patience = worker.lease.total_seconds()
    elif stopped == "by its time limit":
        worker.run(limit=0, seconds=0)
    else:
        worker.stopping.set()
    with connection.execute_wrapper(missing):
        assert worker.attempts.run(claimed) == "lost"
    assert (site.clock.at - began).total_seconds() == patience


@pytest.mark.django_db(transaction=True)
def test_the_log_says_which_outcome_waits_for_the_database_and_which_is_lost(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    site.worker.stopping.set()
    [claimed] = claimed_by(site.worker, 1)
    with connection.execute_wrapper(missing):
        assert site.worker.attempts.run(claimed) == "lost"
    logged = [each for each in caplog.records if "outcome" in each.getMessage()]
    about = f"The outcome of message {claimed.message.pk}"
    *waits, lost = [(each.levelname, each.getMessage()) for each in logged]
    assert set(waits) == {("WARNING", f"{about} waits for the database: There is no server.")}
    assert lost == ("ERROR", f"{about} is lost: There is no server.")
    assert {vars(each)["partnerstack_message"] for each in logged} == {claimed.message.pk}


@pytest.fixture
def audit() -> Iterator[None]:
    """A site with a receiver of every save that fails."""

    def fail(sender: Any, **kwargs: Any) -> None:
        if sender is SyncState:
            raise ValueError("The audit log is full.")

    post_save.connect(fail)
    yield
    post_save.disconnect(fail)


@pytest.mark.django_db
def test_a_failing_receiver_of_the_site_does_not_stop_a_delivery(site: Site, audit: None) -> None:
    signalled: list[Any] = []

    def receive(**kwargs: Any) -> None:
        signalled.append(kwargs)

    customer_pushed.connect(receive)
    try:
        account()
        assert site.push() == {"delivered": 1}
    finally:
        customer_pushed.disconnect(receive)
    assert (message("customers.create").state, len(signalled)) == ("delivered", 1)
    assert SyncState.objects.get().test_seen_at == site.clock.at


@pytest.fixture
def signalled() -> Any:
    """The signals that were sent, each with the stored state of its message."""
    received: list[tuple[Any, ...]] = []

    def receive(signal: Any, message: int, **about: Any) -> None:
        stored = OutboxMessage.objects.get(pk=message).state
        received.append((about["operation"], about["key"], stored, about.get("state"), about.get("record")))

    for signal in (customer_pushed, event_pushed, transaction_pushed, push_failed):
        signal.connect(receive)
    yield received
    for signal in (customer_pushed, event_pushed, transaction_pushed, push_failed):
        signal.disconnect(receive)


@pytest.mark.django_db
def test_a_delivery_is_signalled_after_the_commit(site: Site, signalled: Any) -> None:
    shop = account()
    paid = payment(shop)
    site.push()
    [customer, transaction] = signalled
    assert customer[:4] == ("customers.create", f"shop-account-{shop.pk}", "delivered", None)
    assert transaction[:4] == ("transactions.create", f"payment-{paid.pk}", "delivered", None)
    assert transaction[4].amount == 4900


@pytest.mark.django_db
def test_a_failure_is_signalled_after_the_commit(site: Site, paid: Any, signalled: Any) -> None:
    site.fail("status", status=400)
    site.push()
    assert signalled == [("transactions.create", f"payment-{paid.pk}", "dead", "dead", None)]


@pytest.mark.django_db
def test_a_failing_receiver_does_not_stop_a_delivery(site: Site, paid: Any, caplog: Any) -> None:
    def fail_to_receive(**kwargs: Any) -> None:
        raise ZeroDivisionError

    transaction_pushed.connect(fail_to_receive)
    site.push()
    transaction_pushed.disconnect(fail_to_receive)
    assert message("transactions.create").state == "delivered"
    assert connection.alias == "default"
    assert messages(state="sending") == []


@pytest.mark.django_db
def test_the_delivery_of_an_event_is_signalled(site: Site, signalled: Any) -> None:
    track.event(account(), "demo", key="demo-1")
    site.push()
    assert signalled[1][:4] == ("actions.create", "demo-1", "delivered", None)
    assert signalled[1][4].type == "demo"
