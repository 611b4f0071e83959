"""Which workers run, and whether messages are left."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from django_partnerstack.insight.status import WorkerHealth, are_messages_left, worker_health
from django_partnerstack.models import OutboxLane, OutboxMessage, State, Worker

pytestmark = pytest.mark.django_db


def worker(**ago: float) -> Worker:
    return Worker.objects.create(mode="test", seen_at=timezone.now() - timedelta(**ago))


def test_without_workers_none_was_ever_seen() -> None:
    Worker.objects.create(mode="production")
    assert worker_health("test") == WorkerHealth(running=0, seen_at=None)


def test_workers_that_were_seen_in_the_last_minute_run(django_assert_num_queries: Any) -> None:
    latest, _, _ = worker(seconds=1), worker(minutes=1), worker(hours=1)
    with django_assert_num_queries(2):
        assert worker_health("test") == WorkerHealth(running=2, seen_at=latest.seen_at)


def test_a_stopped_worker_was_seen_and_does_not_run() -> None:
    stopped = worker(seconds=1)
    Worker.objects.update(stopped_at=stopped.seen_at)
    assert worker_health("test") == WorkerHealth(running=0, seen_at=stopped.seen_at)


@pytest.mark.parametrize(("hours", "left"), [(2, True), (0.5, False)])
@pytest.mark.parametrize("queued", [True, False], ids=["queued", "due"])
def test_messages_are_left_once_they_have_waited_for_an_hour(hours: float, left: bool, queued: bool) -> None:
    since = timezone.now() - timedelta(hours=hours)
    if queued:
        OutboxMessage.objects.create(
            mode="test", state=State.QUEUED, operation="customers.create", payload={}, queued_at=since
        )
    else:
        OutboxLane.objects.create(mode="test", key="customer:a", due_at=since)
    assert are_messages_left("test", timedelta(hours=1)) is left
    assert not are_messages_left("production", timedelta(hours=1))
