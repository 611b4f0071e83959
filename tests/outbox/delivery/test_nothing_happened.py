"""What PartnerStack certainly did not carry out is sent again without a look-up, also an event."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from django_partnerstack import track
from django_partnerstack.client import Client, RetryPolicy
from django_partnerstack.sandbox import TEST_KEYS
from tests.outbox.site import API, Site, account, message, payment

pytestmark = pytest.mark.django_db


def create_customer(site: Site) -> str:
    account()
    return "customers.create"


def update_customer(site: Site) -> str:
    shop = account()
    site.push()
    shop.name = "New"
    shop.save()
    return "customers.update"


def create_payment(site: Site) -> str:
    payment(account())
    return "transactions.create"


def refund_payment(site: Site) -> str:
    paid = payment(account())
    site.push()
    track.refund(f"payment-{paid.pk}")
    return "transactions.delete"


def tell_event(site: Site) -> str:
    shop = account()
    site.push()
    track.event(shop, "demo", key="demo-1")
    return "actions.create"


OPERATIONS = pytest.mark.parametrize(
    "queue", [create_customer, update_customer, create_payment, refund_payment, tell_event]
)


@OPERATIONS
@pytest.mark.parametrize("status", [408, 425])
def test_a_request_that_was_not_processed_is_retried(
    site: Site, queue: Callable[[Site], str], status: int
) -> None:
    operation = queue(site)
    if operation == "transactions.create":
        site.push(limit=1)
    for method in ("POST", "PATCH", "DELETE"):
        site.fail("status", method=method, status=status)
    site.push()
    site.push_for(minutes=5)
    assert message(operation).state == "delivered"
    assert (message(operation).attempts, message(operation).in_doubt_since) == (2, None)
    assert not [sent for sent in site.sent if sent.startswith("GET")]


@OPERATIONS
def test_a_worker_that_was_stopped_until_after_its_lease_sends_nothing(
    site: Site, queue: Callable[[Site], str]
) -> None:
    operation = queue(site)
    if operation == "transactions.create":
        site.push(limit=1)
    before = len(site.sent)
    sender = site.worker.attempts.sender
    running = sender.client
    looks = iter([0.0])  # It is stopped after its first look at the clock, for a day.
    policy = RetryPolicy(attempts=1, clock=lambda: next(looks, 86_400.0))
    stopped = Client(*TEST_KEYS, api_url=API, session=running._session, retry_policy=policy)
    object.__setattr__(sender, "client", stopped)
    site.push(limit=1)
    object.__setattr__(sender, "client", running)
    assert site.sent[before:] == []
    assert (message(operation).state, message(operation).in_doubt_since) == ("ready", None)
    assert "the deadline has passed" in message(operation).reason
    site.push_for(minutes=5)
    assert message(operation).state == "delivered"
    assert [sent.partition(" ")[0] for sent in site.sent[before:]].count("GET") == 0


def test_the_lease_is_counted_from_the_clock_of_the_database(site: Site, monkeypatch: Any) -> None:
    """The machine's own clocks may be hours apart from it: only their progress counts."""
    account()
    site.clock.advance(hours=72)
    site.push()
    assert message("customers.create").state == "delivered"
