"""The circuit breaker: it pauses delivery when most requests fail, and a probe ends the pause."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from django_partnerstack.models import OutboxMessage, ThrottleState
from django_partnerstack.outbox.queue.claim import claim
from django_partnerstack.throttle.circuit_breaker import RequestCounter, update
from tests.outbox.site import Site, account, messages, payment
from tests.throttle.conftest import CUSTOMERS

pytestmark = pytest.mark.django_db


def fail_requests(site: Site, **details: Any) -> None:
    site.sandbox.faults.add("status", **{"status": 500, **details})
    site.push()


def throttle_state() -> ThrottleState:
    return ThrottleState.objects.get()


def test_delivery_is_paused_when_most_requests_fail(site: Site, customers: None) -> None:
    fail_requests(site)
    claim(site.worker.throttle, site.worker.delivered, 0, lease=site.worker.lease)
    assert throttle_state().paused_until == site.clock.at + timedelta(seconds=30)
    assert throttle_state().pause_reason == f"{CUSTOMERS} of {CUSTOMERS} requests failed within a minute."
    sent = len(site.sent)
    site.push_for(seconds=29)
    assert len(site.sent) == sent


def test_a_few_failures_do_not_pause_delivery(site: Site, customers: None) -> None:
    fail_requests(site, times=9)
    claim(site.worker.throttle, site.worker.delivered, 0, lease=site.worker.lease)
    assert throttle_state().paused_until is None


def test_a_single_probe_ends_or_extends_the_pause(site: Site, customers: None) -> None:
    fail_requests(site)
    site.push()
    sent = len(site.sent)
    site.push_for(seconds=30)
    assert len(site.sent) == sent + 1
    assert throttle_state().paused_until > site.clock.at
    site.sandbox.faults.clear()
    site.push_for(hours=1)
    assert {each.state for each in messages()} == {"delivered"}


def test_nothing_else_is_sent_while_the_probe_is_sent(site: Site, customers: None) -> None:
    fail_requests(site)
    site.push()
    site.clock.advance(seconds=40)
    other = site.new_worker()
    assert len(claim(site.worker.throttle, site.worker.delivered, 8, lease=site.worker.lease).claimed) == 1
    assert claim(other.throttle, other.delivered, 8, lease=other.lease).claimed == ()


def test_a_probe_that_is_not_sent_is_followed_by_another(site: Site, customers: None) -> None:
    fail_requests(site)
    site.push()
    site.sandbox.faults.clear()
    OutboxMessage.objects.update(fingerprint="changed")
    payment(account(email="z@customers.example"))
    site.push_for(minutes=2)
    assert messages("transactions.create")[0].state == "delivered"
    assert {each.state for each in messages("customers.create")} == {"dead", "delivered"}


def test_a_late_answer_does_not_end_a_pause(site: Site, customers: None) -> None:
    late = site.new_worker()
    batch = claim(late.throttle, late.delivered, 2, lease=late.lease).claimed
    site.sandbox.faults.add("status", status=429, retry_after=600, times=1)
    site.push(limit=1)
    paused_until = throttle_state().paused_until
    for claimed in batch:
        late.throttle.requests.add(failed=True)
        late.attempts.run(claimed)
    claim(late.throttle, late.delivered, 0, lease=late.lease)
    assert throttle_state().paused_until == paused_until == site.clock.at + timedelta(seconds=600)


NOW = datetime(2026, 6, 1, 12, tzinfo=timezone.utc)
OPEN_UNTIL = NOW + timedelta(seconds=30)


def row_of(**fields: Any) -> Any:
    row: Any = ThrottleState(mode="test", **fields)
    row.now = NOW
    return row


def count(row: Any, requests: int, failures: int, *, paused: bool = False, ended: bool = False) -> None:
    """Add what a process has counted since it last did."""
    counter = RequestCounter()
    for number in range(requests):
        counter.add(failed=number < failures, reason="503")
    if ended:
        counter.end_attempt()
    update(row, counter, paused=paused)


@pytest.mark.parametrize(
    ("requests", "failures", "opens"),
    [
        (10, 7, True),
        (10, 6, False),
        (9, 9, False),
        (11, 8, True),
        (11, 7, False),
        (100, 70, True),
        (100, 69, False),
    ],
)
def test_delivery_is_paused_when_seven_of_ten_requests_fail(
    requests: int, failures: int, opens: bool
) -> None:
    row = row_of()
    count(row, requests, failures)
    assert row.paused_until == (OPEN_UNTIL if opens else None)
    assert row.half_open is opens
    assert row.pause_reason == (f"{failures} of {requests} requests failed within a minute." if opens else "")


def test_the_requests_of_all_processes_within_a_minute_are_counted_together() -> None:
    row = row_of()
    count(row, 3, 0)
    row.now += timedelta(seconds=60)
    count(row, 6, 6)
    assert (row.requests, row.failures, row.paused_until) == (9, 6, None)
    count(row, 1, 1)
    assert row.pause_reason == "7 of 10 requests failed within a minute."
    # What led to a pause leads to no second one.
    assert (row.requests, row.failures) == (0, 0)


def test_requests_of_an_earlier_minute_do_not_count() -> None:
    row = row_of()
    count(row, 9, 9)
    row.now += timedelta(seconds=60, microseconds=1)
    count(row, 1, 1)
    assert (row.requests, row.failures, row.minute_began_at, row.paused_until) == (1, 1, row.now, None)


@pytest.mark.parametrize("seconds", [10, 50])
def test_failures_do_not_shorten_a_pause(seconds: int) -> None:
    row = row_of(paused_until=NOW + timedelta(seconds=seconds))
    count(row, 10, 10)
    assert row.paused_until == NOW + timedelta(seconds=max(30, seconds))


def half_open() -> Any:
    return row_of(
        half_open=True, paused_until=NOW, pause_reason="why", next_slot_at=NOW + timedelta(minutes=2)
    )


@pytest.mark.parametrize("failures", [0, 1])
def test_a_probe_decides_whether_the_pause_ends(failures: int) -> None:
    row = half_open()
    count(row, 1, failures, ended=True)
    assert (row.half_open, row.next_slot_at) == (bool(failures), None)
    assert (row.paused_until, row.pause_reason) == ((OPEN_UNTIL, "why") if failures else (None, ""))
    # A probe is no part of the next minute's share.
    assert row.requests == 0


def test_a_probe_that_ended_without_a_request_allows_another_and_one_that_runs_does_not() -> None:
    ended, running = half_open(), half_open()
    count(ended, 0, 0, ended=True)
    count(running, 0, 0)
    assert (ended.half_open, ended.next_slot_at) == (True, None)
    assert (running.half_open, running.next_slot_at) == (True, NOW + timedelta(minutes=2))


def test_an_answer_during_a_pause_does_not_end_it() -> None:
    row = half_open()
    count(row, 1, 0, paused=True, ended=True)
    assert (row.half_open, row.paused_until, row.requests) == (True, NOW, 1)
