"""The delivery loop: threads, limits and stopping."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import Event, Thread, current_thread
from typing import Any

import pytest
from django.db import OperationalError, connection, connections, router
from django.db.backends.signals import connection_created

from django_partnerstack import track
from django_partnerstack.models import OutboxMessage
from django_partnerstack.outbox.queue.claim import claim
from django_partnerstack.outbox.queue.new_message import customer_lane
from django_partnerstack.outbox.queue.sequencing.sequence import sequence_new_messages
from django_partnerstack.signals import customer_pushed
from tests.outbox.site import Site, account, message, messages, payment, states
from tests.shop.models import Account

pytestmark = pytest.mark.django_db(transaction=True)


def lanes(*shops: Account) -> set[str]:
    return {customer_lane(f"shop-account-{shop.pk}") for shop in shops}


def test_no_attempt_starts_after_the_given_seconds(site: Site) -> None:
    first, second = account(), account(email="b@customers.example")
    site.sandbox.faults.add("latency", seconds=30, times=1)
    worker = site.new_worker(threads=1)
    counts = worker.run(lanes=lanes(first, second), seconds=20)
    assert counts == {"delivered": 1, "ready": 1}
    assert site.sent == ["POST /customers"]
    assert sorted(each.attempts for each in messages("customers.create")) == [0, 1]


@pytest.fixture
def customers(site: Site) -> None:
    for name in "abc":
        account(email=f"{name}@customers.example")


def test_a_stopped_worker_releases_the_messages_that_it_has_not_sent(site: Site, customers: None) -> None:
    batch = claim(site.worker.throttle, site.worker.delivered, 3, lease=site.worker.lease).claimed
    site.worker.stop()
    assert {site.worker.attempts.run(claimed) for claimed in batch} == {"ready"}
    assert (site.sent, {each.attempts for each in messages()}) == ([], {0})


def test_a_worker_with_threads_delivers_all_that_is_due(transactional_db: None) -> None:
    site = Site()
    for name in "abcdefgh":
        payment(account(email=f"{name}@customers.example"))
    assert site.new_worker(threads=3).run() == {"delivered": 16}
    assert site.new_worker(threads=3).run() == {}


def test_a_worker_delivers_at_most_its_limit(transactional_db: None) -> None:
    site = Site()
    for name in "abcdefgh":
        account(email=f"{name}@customers.example")
    assert site.new_worker(threads=3).run(limit=5) == {"delivered": 5}
    assert len(messages(state="delivered")) == 5


def delivering_threads(run: Callable[[], object]) -> set[Thread]:
    threads = set()

    def note(**kwargs: Any) -> None:
        threads.add(current_thread())

    customer_pushed.connect(note)
    try:
        run()
    finally:
        customer_pushed.disconnect(note)
    return threads


def test_a_worker_with_one_thread_needs_no_other(site: Site, customers: None) -> None:
    assert delivering_threads(site.new_worker(threads=1).run) == {current_thread()}
    assert len(messages(state="delivered")) == 3


def test_a_worker_delivers_while_python_ends_and_starts_no_more_threads(
    site: Site, customers: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(thread: Thread) -> None:
        raise RuntimeError("can't create new thread at interpreter shutdown")

    worker = site.new_worker(threads=3)
    monkeypatch.setattr(Thread, "start", refuse)
    assert delivering_threads(worker.run) == {current_thread()}
    assert len(messages(state="delivered")) == 3


@contextmanager
def failing(table: str) -> Iterator[None]:
    """The database fails for each query of a table, in all threads."""

    def execute(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        if is_failing and table in sql:
            raise OperationalError("The server does not answer.")
        return execute(sql, *rest)

    def wrap(connection: Any, **kwargs: Any) -> None:
        connection.execute_wrappers.append(execute)

    is_failing = True
    connection_created.connect(wrap)
    try:
        with connection.execute_wrapper(execute):
            yield
    finally:
        is_failing = False
        connection_created.disconnect(wrap)


def test_a_database_that_fails_for_the_mode_evidence_costs_no_delivery_and_no_thread(site: Site) -> None:
    for name in "abcdef":
        payment(account(email=f"{name}@customers.example"))
    with failing("partnerstack_syncstate"):
        counts = site.new_worker(threads=2).run()
    assert counts == {"delivered": 12}
    assert set(states().values()) == {"delivered"}


def test_a_worker_that_is_stopped_while_the_database_is_down_ends_and_closes_its_client(site: Site) -> None:
    closed: list[str] = []
    site.adapter.close = lambda: closed.append("closed")  # type: ignore[method-assign]
    site.worker.stop()
    with failing("partnerstack"):
        assert site.worker.run(forever=True) == {}
    assert closed


def test_a_refund_that_is_sequenced_while_its_payment_is_refused_is_blocked(site: Site) -> None:
    shop = account()
    site.push()
    payment(shop)
    [claimed] = claim(site.worker.throttle, site.worker.delivered, 1, lease=site.worker.lease).claimed
    track.refund(claimed.message.subject)
    sequenced, other = Event(), site.new_worker()

    def sequence() -> None:
        try:
            with other.throttle.locked() as row:
                sequence_new_messages("test", router.db_for_write(OutboxMessage), row.now)
                sequenced.set()
                Event().wait(0.5)
        finally:
            connections.close_all()

    thread = Thread(target=sequence)
    thread.start()
    assert sequenced.wait(10)
    site.fail("status", status=400)
    site.worker.attempts.run(claimed)
    thread.join()
    assert message("transactions.create").state == "dead"
    assert message("transactions.delete").state == "blocked"


def test_old_messages_are_deleted_while_the_worker_is_busy(site: Site) -> None:
    shop = account()
    payment(shop)
    site.push()
    old = OutboxMessage.objects.filter(operation="transactions.create")
    old.update(finished_at=site.clock.at - timedelta(days=365))
    worker = site.new_worker(threads=1)

    def stop(**kwargs: Any) -> None:
        worker.stop()

    account(email="b@customers.example")
    customer_pushed.connect(stop)
    try:
        worker.run(forever=True)
    finally:
        customer_pushed.disconnect(stop)
    assert not old.exists()
