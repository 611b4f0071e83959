"""The outcome of an attempt: when the next attempt is due, and when a message fails."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from django_partnerstack.outbox.delivery.outcome import ATTEMPTS, in_doubt, retry_delay
from tests.outbox.site import Site, account, message

pytestmark = pytest.mark.django_db


GRACE = timedelta(seconds=900)


def test_a_look_up_is_a_second_later_even_if_the_clock_was_set_back(site: Site, paid: Any) -> None:
    now = site.clock.at
    outcome = in_doubt("", now, since=now + timedelta(hours=1), grace=GRACE)
    assert outcome.next_try_at is not None
    assert now + timedelta(seconds=0.5) <= outcome.next_try_at <= now + timedelta(seconds=1)


def test_the_retry_delay_is_random_and_grows_to_an_hour() -> None:
    waits = [retry_delay(30) for _ in range(50)]
    assert max(waits) <= timedelta(hours=1)
    assert len(set(waits)) > 40
    assert max(retry_delay(1) for _ in range(50)) <= timedelta(seconds=2)


def test_look_ups_count_as_no_attempt(site: Site, paid: Any) -> None:
    site.fail("status", status=500)
    site.push_for(seconds=GRACE.total_seconds() + 1)
    assert site.sent.count("GET /transactions") > 3
    assert message("transactions.create").attempts == 2


def test_a_message_fails_after_its_last_attempt(site: Site) -> None:
    shop = account()
    site.push()
    shop.email = "b@customers.example"
    shop.save()
    site.fail("html", method="PATCH", times=None)
    site.push_for(days=2)
    found = message("customers.update")
    assert (found.state, found.attempts) == ("dead", ATTEMPTS)
    assert found.reason.startswith(f"Given up after {ATTEMPTS} attempts.")
