"""The throttle: each request of the site acquires a slot, and none is sent during a pause."""

from __future__ import annotations

from datetime import timedelta

import pytest

from django_partnerstack.exceptions import DeliveryPaused
from django_partnerstack.models import ThrottleState
from django_partnerstack.throttle.throttle import FRESH, Throttle, resume_delivery, site_throttle
from tests.outbox.site import Site

pytestmark = pytest.mark.django_db


def throttle(site: Site, requests_per_minute: float = 600) -> Throttle:
    """The throttle of another process."""
    return Throttle("test", site.clock, requests_per_minute=requests_per_minute)


def wait(site: Site, seconds: float) -> bool:
    site.clock.advance(seconds=seconds)
    return False


def test_two_processes_acquire_slots_one_after_the_other(site: Site) -> None:
    first, second, began = throttle(site), throttle(site), site.clock.at
    acquired = []
    for process in (first, second, first):
        process.acquire_slot(lambda seconds: wait(site, seconds))
        acquired.append((site.clock.at - began).total_seconds())
    assert acquired == pytest.approx([0, 0.1, 0.2])


def test_a_slot_is_not_acquired_by_a_worker_that_is_stopped(site: Site) -> None:
    with pytest.raises(DeliveryPaused, match="The worker was stopped"):
        throttle(site).acquire_slot(lambda seconds: True)


def test_no_slot_is_acquired_during_a_pause(site: Site) -> None:
    paused = throttle(site)
    paused.pause(site.clock.at + timedelta(minutes=1), "PartnerStack asked for a pause.")
    for process in (paused, throttle(site)):
        with pytest.raises(DeliveryPaused, match="Delivery is paused until"):
            process.acquire_slot(lambda seconds: wait(site, seconds))


def test_another_process_stops_within_a_tenth_of_a_second_of_a_pause(site: Site) -> None:
    other = throttle(site)
    throttle(site).pause(site.clock.at + timedelta(minutes=1), "PartnerStack asked for a pause.")
    other.check()
    site.clock.advance(seconds=FRESH.total_seconds() + 0.01)
    with pytest.raises(DeliveryPaused):
        other.check()


def test_a_shorter_pause_does_not_end_a_longer_pause(site: Site) -> None:
    process, longer = throttle(site), site.clock.at + timedelta(hours=1)
    process.pause(longer, "PartnerStack asked for a pause.")
    process.pause(site.clock.at + timedelta(seconds=5), "PartnerStack asked for a pause.")
    assert ThrottleState.objects.get().paused_until == longer


def test_an_operator_resumes_delivery(db: None) -> None:
    paused = site_throttle("test")
    paused.pause_for_refused_keys("401 Unauthorized")
    assert resume_delivery("test")
    assert not resume_delivery("test")
    row = ThrottleState.objects.get()
    assert (row.paused_until, row.pause_reason, row.half_open) == (None, "", True)


def test_a_pause_of_one_mode_does_not_pause_the_other(site: Site) -> None:
    throttle(site).pause(site.clock.at + timedelta(minutes=1), "PartnerStack asked for a pause.")
    assert not resume_delivery("production")
    assert resume_delivery("test")
