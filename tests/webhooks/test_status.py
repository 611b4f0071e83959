"""What was received, by name."""

from __future__ import annotations

import pytest

from django_partnerstack.models import WebhookCounter, WebhookEvent
from django_partnerstack.webhooks.status import Received, Status, status

from .conftest import Site

pytestmark = pytest.mark.django_db


def test_nothing_was_received() -> None:
    assert status("test") == Status((), None, None, {})


def test_events_are_counted_by_name_and_state_and_the_last_received_comes_first(site: Site) -> None:
    began = site.clock.now()
    for key in ("cus_1", "cus_2", "cus_3", "cus_3"):
        site.event("customer.updated", key)
        site.clock.move(seconds=1)
    site.event("deal.created", "deal_1")
    events = WebhookEvent.objects.order_by("pk")
    events.filter(pk=events[0].pk).update(state="failed")
    events.filter(pk=events[1].pk).update(state="done")
    WebhookEvent.objects.filter(event="deal.created").update(state="ignored")
    for reason, number in {"too long": 2, "not JSON": 3}.items():
        WebhookCounter.objects.create(mode="test", reason=reason, count=number, last_at=began)
        WebhookCounter.objects.create(mode="production", reason=reason, count=9, last_at=began)
    found = status("test")
    second = site.clock.now() - began
    assert found.received == (
        Received("deal.created", 1, 1, began + second, waiting=0, failed=0),
        Received("customer.updated", 3, 4, began + second * 3 / 4, waiting=1, failed=1),
    )
    assert found.last_received_at == site.clock.now()
    assert found.waiting_since == began + second / 2
    assert list(found.refused.items()) == [("not JSON", 3), ("too long", 2)]
    assert status("production") == Status((), None, None, {"not JSON": 9, "too long": 9})


def test_the_event_that_waits_longest_says_since_when(site: Site) -> None:
    site.event("unheard.of", "x")
    site.process()
    assert status("test").waiting_since is None
