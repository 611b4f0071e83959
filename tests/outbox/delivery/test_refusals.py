"""A refusal (403) is about its own message, unless PartnerStack refuses everything."""

from __future__ import annotations

from typing import Any

import pytest

from django_partnerstack import track
from django_partnerstack.models import ThrottleState
from django_partnerstack.outbox.control import actions
from tests.lengths import by_length
from tests.outbox.site import Site, account, message, messages, payment, states

pytestmark = pytest.mark.django_db

MINUTES = by_length(quick=120, usual=240, long=1440)


def refuse(site: Site, path: str, method: str | None = None, status: int = 403) -> None:
    site.sandbox.faults.add("status", method=method, path=f"/api/v2{path}", status=status)


def test_a_refused_message_fails_alone_and_can_be_retried(site: Site) -> None:
    shop = account()
    site.push()
    refuse(site, "/actions")
    track.event(shop, "demo", key="demo-1")
    payment(shop)
    site.push()
    assert message("actions.create").state == "dead"
    assert "POST /actions: 403" in message("actions.create").reason
    assert message("actions.create").in_doubt_since is None
    assert message("transactions.create").state == "delivered"
    assert ThrottleState.objects.get().paused_until is None
    site.sandbox.faults.clear()
    actions.retry(message("actions.create"))
    site.push()
    assert site.effects("actions.create") == {"demo-1": 1}


def test_a_refused_event_does_not_delay_the_payments_of_a_day(site: Site) -> None:
    shops = [account(email=f"{number}@customers.example") for number in range(3)]
    site.push()
    refuse(site, "/actions")
    track.event(shops[0], "demo")
    for minute in range(MINUTES):
        payment(shops[minute % 3])
        site.push()
        site.clock.advance(minutes=1)
    assert len(messages("transactions.create", state="delivered")) == MINUTES
    assert message("actions.create").state == "dead"


def test_delivery_is_paused_if_reading_is_refused_as_well(site: Site) -> None:
    shop = account()
    site.push()
    refuse(site, "")
    payment(shop)
    site.push()
    sent = len(site.sent)
    account(email="b@customers.example")
    site.push_for(minutes=4)
    assert (len(site.sent), ThrottleState.objects.get().pause_reason != "") == (sent, True)
    assert {each.state for each in messages(operation__startswith="transactions")} == {"ready"}
    site.sandbox.faults.clear()
    site.push_for(hours=2)
    assert set(states().values()) == {"delivered"}


def test_a_refusal_during_an_outage_is_about_its_own_message_and_the_outage_is_named(site: Site) -> None:
    """The other read, which is to show whether everything is refused, fails."""
    shop = account()
    site.push()
    refuse(site, "/actions")
    refuse(site, "/partnerships", status=503)
    track.event(shop, "demo")
    site.push()
    assert message("actions.create").state == "dead"
    assert ThrottleState.objects.get().paused_until is None
    # What another thread would report if it counted the requests between the two.
    assert "GET /partnerships: 503" in site.worker.throttle.requests.failure


def test_other_messages_show_that_keys_which_may_not_read_are_right(site: Site) -> None:
    """A key pair without the permissions for events and for reading partners."""
    shops = [account(email=f"{number}@customers.example") for number in range(3)]
    site.push()
    refuse(site, "/actions")
    refuse(site, "/partnerships")
    track.event(shops[0], "demo")
    for minute in range(60):
        payment(shops[1 + minute % 2])
        site.push()
        site.clock.advance(minutes=1)
    site.push_for(minutes=10)
    assert len(messages("transactions.create", state="delivered")) == 60


def test_a_refused_look_up_stops_only_its_message(site: Site, paid: Any) -> None:
    refuse(site, "/transactions", "GET")
    site.fail("lost")
    site.push()
    account(email="b@customers.example")
    site.push_for(minutes=10)
    assert message("transactions.create").state == "unknown"
    assert "The look-up failed: GET /transactions: 403" in message("transactions.create").reason
    assert {each.state for each in messages("customers.create")} == {"delivered"}
