"""How fast messages leave, and whether at all, for all workers of a site together."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from django_partnerstack.models import OutboxMessage, ThrottleState
from django_partnerstack.outbox.delivery.loop import DeliveryLoop
from django_partnerstack.outbox.queue.claim import claim
from tests.outbox.site import Site, account, messages, payment

pytestmark = pytest.mark.django_db

ALL = "abcdefghijklmnopqrst"


@pytest.fixture
def waiting(site: Site) -> None:
    for name in ALL:
        account(email=f"{name}@customers.example")


def slow(site: Site, per_minute: float) -> DeliveryLoop:
    return site.new_worker(requests_per_minute=per_minute)


def test_workers_share_the_slots(site: Site, waiting: None) -> None:
    workers = slow(site, 600), slow(site, 600)
    batches = [claim(worker.throttle, worker.delivered, 4, lease=worker.lease).claimed for worker in workers]
    at = [(each.send_at - site.clock.at).total_seconds() for batch in batches for each in batch]
    assert at == pytest.approx([number / 10 for number in range(8)])


def test_nothing_is_claimed_whose_turn_is_far_away(site: Site, waiting: None) -> None:
    worker = slow(site, 120)
    batch = claim(worker.throttle, worker.delivered, 20, lease=worker.lease)
    assert (len(batch.claimed), batch.more) == (3, True)
    assert claim(worker.throttle, worker.delivered, 20, lease=worker.lease).claimed == ()


def test_slots_that_nobody_used_are_not_saved_up(site: Site, waiting: None) -> None:
    worker = slow(site, 120)
    claim(worker.throttle, worker.delivered, 1, lease=worker.lease)
    site.clock.advance(hours=1)
    assert len(claim(worker.throttle, worker.delivered, 20, lease=worker.lease).claimed) == 3


@pytest.mark.parametrize(
    ("per_minute", "threads", "takes_another"),
    [(600, 4, True), (4_000, 1, True), (24_000, 1, True), (600_000, 4, False)],
)
def test_who_misses_a_slot_takes_another_unless_the_pace_forgives_it(
    site: Site, waiting: None, per_minute: float, threads: int, takes_another: bool
) -> None:
    worker = site.new_worker(requests_per_minute=per_minute, threads=threads)
    [claimed] = claim(worker.throttle, worker.delivered, 1, lease=worker.lease).claimed
    missed = ThrottleState.objects.get().next_slot_at
    site.clock.advance(seconds=5)
    assert worker.attempts.run(claimed) == "delivered"
    assert (ThrottleState.objects.get().next_slot_at != missed) == takes_another


@pytest.mark.parametrize(
    ("per_minute", "held"), [(0.001, 16), (4_000, 16), (600_000, 25), (6_000_000, 80), (10**12, 80)]
)
def test_a_worker_holds_no_more_than_the_pace_forgives_it_to_be_late_with(
    site: Site, per_minute: float, held: int
) -> None:
    """Or twice as many as it has threads, and then each has its own slot."""
    assert site.new_worker(requests_per_minute=per_minute, threads=8).claim_limit == held


def test_a_clock_that_is_set_back_does_not_stop_what_comes_then(site: Site, waiting: None) -> None:
    worker = slow(site, 600)
    claim(worker.throttle, worker.delivered, 4, lease=worker.lease)
    site.clock.advance(hours=-1)
    account(email="z@customers.example")
    claim(worker.throttle, worker.delivered, 1, lease=worker.lease)
    site.clock.advance(seconds=2)
    assert claim(worker.throttle, worker.delivered, 1, lease=worker.lease).claimed


def breakdown(site: Site, **details: Any) -> None:
    site.sandbox.faults.add("status", **{"status": 500, **details})
    site.push()


def line() -> ThrottleState:
    return ThrottleState.objects.get()


def test_the_line_closes_when_most_requests_fail(site: Site, waiting: None) -> None:
    breakdown(site)
    claim(site.worker.throttle, site.worker.delivered, 0, lease=site.worker.lease)
    assert line().paused_until == site.clock.at + timedelta(seconds=30)
    assert line().pause_reason == f"{len(ALL)} of {len(ALL)} requests failed within a minute."
    sent = len(site.sent)
    site.push_for(seconds=29)
    assert len(site.sent) == sent


def test_a_few_failures_close_nothing(site: Site, waiting: None) -> None:
    breakdown(site, times=9)
    claim(site.worker.throttle, site.worker.delivered, 0, lease=site.worker.lease)
    assert line().paused_until is None


def test_one_message_tries_the_closed_line_and_opens_it(site: Site, waiting: None) -> None:
    breakdown(site)
    site.push()
    sent = len(site.sent)
    site.push_for(seconds=30)
    assert len(site.sent) == sent + 1
    assert line().paused_until > site.clock.at
    site.sandbox.faults.clear()
    site.push_for(hours=1)
    assert {each.state for each in messages()} == {"delivered"}


def test_while_one_message_tries_nothing_else_leaves(site: Site, waiting: None) -> None:
    breakdown(site)
    site.push()
    site.clock.advance(seconds=40)
    other = site.new_worker()
    assert len(claim(site.worker.throttle, site.worker.delivered, 8, lease=site.worker.lease).claimed) == 1
    assert claim(other.throttle, other.delivered, 8, lease=other.lease).claimed == ()


def test_a_probe_that_cannot_be_sent_makes_room_for_the_next(site: Site, waiting: None) -> None:
    breakdown(site)
    site.push()
    site.sandbox.faults.clear()
    OutboxMessage.objects.update(fingerprint="changed")
    payment(account(email="z@customers.example"))
    site.push_for(minutes=2)
    assert messages("transactions.create")[0].state == "delivered"
    assert {each.state for each in messages("customers.create")} == {"dead", "delivered"}


def test_a_late_answer_does_not_open_a_closed_line(site: Site, waiting: None) -> None:
    late = site.new_worker()
    batch = claim(late.throttle, late.delivered, 2, lease=late.lease).claimed
    site.sandbox.faults.add("status", status=429, retry_after=600, times=1)
    site.push(limit=1)
    paused_until = line().paused_until
    for claimed in batch:
        late.throttle.requests.add(failed=True)
        late.attempts.run(claimed)
    claim(late.throttle, late.delivered, 0, lease=late.lease)
    assert line().paused_until == paused_until == site.clock.at + timedelta(seconds=600)


def test_a_worker_that_is_stopped_releases_what_it_has_not_sent(site: Site, waiting: None) -> None:
    batch = claim(site.worker.throttle, site.worker.delivered, 3, lease=site.worker.lease).claimed
    site.worker.stop()
    assert {site.worker.attempts.run(claimed) for claimed in batch} == {"ready"}
    assert (site.sent, {each.attempts for each in messages()}) == ([], {0})


def test_a_worker_with_threads_delivers_everything_that_is_due(transactional_db: None) -> None:
    site = Site()
    for name in ALL[:8]:
        payment(account(email=f"{name}@customers.example"))
    assert site.new_worker(threads=3).run() == {"delivered": 16}
    assert site.new_worker(threads=3).run() == {}


def test_a_worker_stops_at_its_limit(transactional_db: None) -> None:
    site = Site()
    for name in ALL[:8]:
        account(email=f"{name}@customers.example")
    assert site.new_worker(threads=3).run(limit=5) == {"delivered": 5}
    assert len(messages(state="delivered")) == 5
