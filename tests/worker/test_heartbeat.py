"""The row by which others know that a worker runs."""

from __future__ import annotations

import os
import socket
from datetime import timedelta

import pytest
from django.utils import timezone

from django_partnerstack import __version__
from django_partnerstack.models import Worker
from django_partnerstack.worker.heartbeat import Heartbeat, heartbeat
from tests.outbox.site import StillClock

from .conftest import PassingTime

pytestmark = pytest.mark.django_db

JOBS = {"delivery": "sending what is due", "sync": "waiting until 12:05:00 UTC"}


@pytest.fixture
def heart() -> Heartbeat:
    return Heartbeat("test", lambda: JOBS)


def test_a_worker_says_who_it_is_and_what_it_does(heart: Heartbeat) -> None:
    heart.beat()
    row = Worker.objects.get()
    assert (row.host, row.pid, row.version, row.jobs) == (
        socket.gethostname(),
        os.getpid(),
        __version__,
        JOBS,
    )
    assert abs(timezone.now() - row.seen_at) < timedelta(minutes=1)
    assert list(Worker.objects.alive(timezone.now())) == [row]


def test_each_beat_moves_the_time_of_its_own_row(heart: Heartbeat) -> None:
    heart.beat()
    Worker.objects.update(seen_at=timezone.now() - timedelta(hours=1))
    other = Worker.objects.create(mode="test", host="elsewhere")
    assert Worker.objects.alive(timezone.now()).get() == other
    heart.beat()
    assert Worker.objects.alive(timezone.now()).count() == 2


def test_a_row_that_was_removed_meanwhile_comes_back_with_its_start(heart: Heartbeat) -> None:
    heart.beat()
    started = Worker.objects.get().started_at
    Worker.objects.all().delete()
    heart.beat()
    assert Worker.objects.get().started_at == started


def test_a_stopped_worker_is_not_alive(heart: Heartbeat) -> None:
    heart.end()
    assert not Worker.objects.exists()
    heart.beat()
    heart.end()
    assert Worker.objects.get().stopped_at is not None
    assert not Worker.objects.alive(timezone.now()).exists()


def test_only_rows_of_long_gone_workers_are_removed(heart: Heartbeat) -> None:
    for days in (6, 8):
        Worker.objects.create(mode="test", pid=days, seen_at=timezone.now() - timedelta(days=days))
    heart.remove_old()
    assert [row.pid for row in Worker.objects.all()] == [6]


def test_when_nothing_happens_it_logs_a_line_a_minute(
    clock: StillClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "django_partnerstack")
    heartbeat("test", lambda: JOBS).run(PassingTime(clock, 600), lambda text: None)
    assert {record.getMessage() for record in caplog.records} == {
        "Running. delivery: sending what is due; sync: waiting until 12:05:00 UTC"
    }
    assert 8 <= len(caplog.records) <= 10
    assert Worker.objects.get().stopped_at is not None
