"""The circuit breaker: it pauses delivery when most requests fail, and a probe ends the pause."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from django_partnerstack.models import OutboxMessage, ThrottleState
from django_partnerstack.outbox.queue.claim import claim
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
