from __future__ import annotations

from typing import Any

import pytest
from django.test import override_settings

from django_partnerstack.models import WebhookEvent
from django_partnerstack.webhooks import retention

from .conftest import Site

pytestmark = pytest.mark.django_db


@pytest.fixture
def event(site: Site) -> WebhookEvent:
    """An event that was processed."""
    site.event("unheard.of", "x")
    site.process()
    return WebhookEvent.objects.get()


def test_a_body_is_forgotten_and_much_later_its_row(site: Site, event: WebhookEvent) -> None:
    site.clock.move(days=90)
    assert retention.prune("test", site.clock.now()) == (0, 0)
    site.clock.move(seconds=1)
    assert retention.prune("test", site.clock.now()) == (1, 0)
    event.refresh_from_db()
    assert (event.body, event.key) == (None, "x")
    site.clock.move(days=270)
    assert retention.prune("test", site.clock.now()) == (0, 1)


def test_an_event_that_waits_is_kept(site: Site) -> None:
    site.event("customer.updated", "cus_1")
    site.clock.move(days=1000)
    assert retention.prune("test", site.clock.now()) == (0, 0)
    assert WebhookEvent.objects.get().body


def test_the_other_mode_and_fresh_events_are_kept(site: Site, event: WebhookEvent) -> None:
    assert retention.prune("test", site.clock.now()) == (0, 0)
    site.clock.move(days=1000)
    assert retention.prune("production", site.clock.now()) == (0, 0)


def test_all_events_are_counted_however_many_there_are(
    site: Site, event: WebhookEvent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    for key in ("y", "z"):
        site.event("unheard.of", key)
    site.process()
    site.clock.move(days=361)
    assert retention.prune("test", site.clock.now()) == (3, 3)
    assert not WebhookEvent.objects.exists()


@override_settings(PARTNERSTACK_RETENTION_DAYS=10)
def test_the_worker_prunes_once_an_hour(
    site: Site, event: WebhookEvent, django_assert_num_queries: Any
) -> None:
    site.clock.move(days=11)
    site.process()
    assert WebhookEvent.objects.get().body is None
    with django_assert_num_queries(1):
        site.process()
