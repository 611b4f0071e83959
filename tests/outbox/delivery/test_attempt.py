"""Writing down what came of an attempt, when the database or the host's own code fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from threading import Event
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.db.models.signals import post_save

from django_partnerstack.models import SyncState
from django_partnerstack.outbox.delivery.loop import DeliveryLoop
from django_partnerstack.outbox.queue.claim import Claimed, claim
from django_partnerstack.signals import customer_pushed
from tests.outbox.site import Site, account, message


def claimed_by(worker: DeliveryLoop, number: int) -> tuple[Claimed, ...]:
    for name in range(number):
        account(email=f"{name}@customers.example")
    return claim(worker.throttle, worker.delivered, number, lease=worker.lease).claimed


def cut(one: Any) -> Callable[..., Any]:
    """One connection is of no use any more; the next is."""

    def execute(execute: Callable[..., Any], *query: Any) -> Any:
        if connection.connection is one:
            raise OperationalError("The server closed the connection.")
        return execute(*query)

    return execute


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_was_cut_loses_no_result_however_late_in_a_stop(site: Site) -> None:
    site.worker.stop()
    for claimed in claimed_by(site.worker, 2):
        with connection.execute_wrapper(cut(connection.connection)):
            assert site.worker.attempts.run(claimed) == "ready"
        site.clock.advance(seconds=20)


def gone(*query: Any) -> Any:
    raise OperationalError("There is no server.")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("told", ["not at all", "by its own event", "by one of another", "by its time"])
def test_who_is_to_stop_has_little_patience_with_a_database_that_is_gone(site: Site, told: str) -> None:
    worker = site.new_worker(stopping=Event()) if told == "by one of another" else site.worker
    [claimed] = claimed_by(worker, 1)
    began, patience = site.clock.at, 3.0
    if told == "not at all":
        patience = worker.lease.total_seconds()
    elif told == "by its time":
        worker.run(limit=0, seconds=0)
    else:
        worker.stopping.set()
    with connection.execute_wrapper(gone):
        assert worker.attempts.run(claimed) == "lost"
    assert (site.clock.at - began).total_seconds() == patience


@pytest.fixture
def audit() -> Iterator[None]:
    """A host that listens to everything that is saved, and fails."""

    def fail(sender: Any, **kwargs: Any) -> None:
        if sender is SyncState:
            raise ValueError("The audit log is full.")

    post_save.connect(fail)
    yield
    post_save.disconnect(fail)


@pytest.mark.django_db
def test_the_hosts_receivers_cannot_spoil_a_delivery(site: Site, audit: None) -> None:
    heard: list[Any] = []

    def hear(**kwargs: Any) -> None:
        heard.append(kwargs)

    customer_pushed.connect(hear)
    try:
        account()
        assert site.push() == {"delivered": 1}
    finally:
        customer_pushed.disconnect(hear)
    assert (message("customers.create").state, len(heard)) == ("delivered", 1)
    assert SyncState.objects.get().test_seen_at == site.clock.at
