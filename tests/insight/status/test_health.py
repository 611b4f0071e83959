"""``health``: the figures of a site, and what is wrong with it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from django_partnerstack import status
from django_partnerstack.models import OutboxMessage, State, ThrottleState
from tests.admin.conftest import queue

pytestmark = pytest.mark.django_db


def codes() -> list[str]:
    return [finding.code for finding in status.health().findings]


def test_a_new_site_is_healthy() -> None:
    health = status.health()
    assert (health.mode, health.severity, health.findings) == ("test", status.Severity.OK, ())
    assert set(health.queue.by_state.values()) == {0}


def test_messages_are_counted_by_state_and_age() -> None:
    now = timezone.now()
    queue(State.DELIVERED, finished_at=now - timedelta(minutes=5))
    queue(State.DELIVERED, finished_at=now - timedelta(hours=5))
    queue(State.FAILED, finished_at=now - timedelta(days=2))
    OutboxMessage.objects.filter(state=State.DELIVERED).update(mode="test")
    figures = status.health(now=now).queue
    assert {state: number for state, number in figures.by_state.items() if number} == {
        "delivered": 2,
        "failed": 1,
    }
    assert (figures.delivered_last_hour, figures.delivered_last_day) == (1, 2)
    assert (figures.failed_last_hour, figures.failed_last_day) == (0, 0)


def test_the_most_urgent_finding_comes_first() -> None:
    queue(State.FAILED)
    queue(State.QUEUED, queued_at=timezone.now() - timedelta(hours=2))
    assert codes() == ["messages-failed"]


def test_a_pause_is_a_finding_with_its_reason(settings: Any) -> None:
    ThrottleState.objects.create(
        mode="test", paused_until=timezone.now() + timedelta(minutes=2), pause_reason="Too many failures."
    )
    [finding] = status.health().findings
    assert finding.code == "delivery-paused"
    assert "Too many failures." in finding.sentence
    assert finding.link is not None
    assert finding.link.url() == "/admin/partnerstack/throttlestate/?mode=test"


def test_it_is_plain_data_too() -> None:
    queue(State.FAILED)
    data = json.loads(json.dumps(status.health().as_dict()))
    assert data["severity"] == "warn"
    assert data["queue"]["by_state"]["failed"] == 1
    assert [finding["code"] for finding in data["findings"]] == ["messages-failed"]
