"""The rate limiter: all workers of the site share its slots."""

from __future__ import annotations

import pytest

from django_partnerstack.models import ThrottleState
from django_partnerstack.outbox.delivery.loop import DeliveryLoop
from django_partnerstack.outbox.queue.claim import claim
from tests.outbox.site import Site, account

pytestmark = pytest.mark.django_db


def worker_with_limit(site: Site, per_minute: float) -> DeliveryLoop:
    return site.new_worker(requests_per_minute=per_minute)


def test_workers_share_the_slots(site: Site, customers: None) -> None:
    workers = worker_with_limit(site, 600), worker_with_limit(site, 600)
    batches = [claim(worker.throttle, worker.delivered, 4, lease=worker.lease).claimed for worker in workers]
    at = [(each.send_at - site.clock.at).total_seconds() for batch in batches for each in batch]
    assert at == pytest.approx([number / 10 for number in range(8)])


def test_no_message_is_claimed_whose_slot_is_more_than_a_second_away(site: Site, customers: None) -> None:
    worker = worker_with_limit(site, 120)
    batch = claim(worker.throttle, worker.delivered, 20, lease=worker.lease)
    assert (len(batch.claimed), batch.more) == (3, True)
    assert claim(worker.throttle, worker.delivered, 20, lease=worker.lease).claimed == ()


def test_unused_slots_are_not_saved_up(site: Site, customers: None) -> None:
    worker = worker_with_limit(site, 120)
    claim(worker.throttle, worker.delivered, 1, lease=worker.lease)
    site.clock.advance(hours=1)
    assert len(claim(worker.throttle, worker.delivered, 20, lease=worker.lease).claimed) == 3


@pytest.mark.parametrize(
    ("per_minute", "threads", "acquires_another"),
    [(600, 4, True), (4_000, 1, True), (24_000, 1, True), (600_000, 4, False)],
)
def test_a_worker_that_misses_a_slot_acquires_another_unless_the_rate_allows_late_slots(
    site: Site, customers: None, per_minute: float, threads: int, acquires_another: bool
) -> None:
    worker = site.new_worker(requests_per_minute=per_minute, threads=threads)
    [claimed] = claim(worker.throttle, worker.delivered, 1, lease=worker.lease).claimed
    missed = ThrottleState.objects.get().next_slot_at
    site.clock.advance(seconds=5)
    assert worker.attempts.run(claimed) == "delivered"
    assert (ThrottleState.objects.get().next_slot_at != missed) == acquires_another


@pytest.mark.parametrize(
    ("per_minute", "claimed"), [(0.001, 16), (4_000, 16), (600_000, 25), (6_000_000, 80), (10**12, 80)]
)
def test_a_worker_claims_as_many_messages_as_it_may_use_late_slots(
    site: Site, per_minute: float, claimed: int
) -> None:
    """At least twice as many as it has threads; then each message has its own slot."""
    assert site.new_worker(requests_per_minute=per_minute, threads=8).claim_limit == claimed


def test_a_clock_that_is_set_back_does_not_stop_delivery(site: Site, customers: None) -> None:
    worker = worker_with_limit(site, 600)
    claim(worker.throttle, worker.delivered, 4, lease=worker.lease)
    site.clock.advance(hours=-1)
    account(email="z@customers.example")
    claim(worker.throttle, worker.delivered, 1, lease=worker.lease)
    site.clock.advance(seconds=2)
    assert claim(worker.throttle, worker.delivered, 1, lease=worker.lease).claimed
