"""The delivery loop: threads, limits and stopping."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from django_partnerstack.outbox.queue.claim import claim
from django_partnerstack.outbox.queue.messages import customer_lane
from django_partnerstack.signals import customer_pushed
from tests.outbox.site import Site, account, messages, payment
from tests.shop.models import Account

pytestmark = pytest.mark.django_db(transaction=True)


def lanes(*shops: Account) -> set[str]:
    return {customer_lane(f"account-{shop.pk}") for shop in shops}


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


def delivering_threads(run: Callable[[], object]) -> set[threading.Thread]:
    threads = set()

    def note(**kwargs: Any) -> None:
        threads.add(threading.current_thread())

    customer_pushed.connect(note)
    try:
        run()
    finally:
        customer_pushed.disconnect(note)
    return threads


def test_a_worker_with_one_thread_needs_no_other(site: Site, customers: None) -> None:
    assert delivering_threads(site.new_worker(threads=1).run) == {threading.current_thread()}
    assert len(messages(state="delivered")) == 3


def test_a_worker_delivers_while_python_ends_and_starts_no_more_threads(
    site: Site, customers: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't create new thread at interpreter shutdown")

    worker = site.new_worker(threads=3)
    monkeypatch.setattr(threading.Thread, "start", refuse)
    assert delivering_threads(worker.run) == {threading.current_thread()}
    assert len(messages(state="delivered")) == 3
