"""Jobs side by side: each may fail or hang without the others."""

from __future__ import annotations

import time
from collections.abc import Iterator
from threading import Event, Thread
from typing import Any

import pytest
from django.db import DatabaseError
from django.test import override_settings

from django_partnerstack.models import Worker
from django_partnerstack.worker import Service
from django_partnerstack.worker.job import Job, Say
from tests.dispatch.processes import until

pytestmark = pytest.mark.django_db(transaction=True)


class Running:
    """A service in a thread."""

    def __init__(self, *jobs: Job, **options: Any) -> None:
        self.service = Service(jobs, mode="test", restart=0.01, **options)
        self.ended: list[bool] = []
        self.thread = Thread(target=lambda: self.ended.append(self.service.run()))
        self.thread.start()

    def stop(self) -> bool:
        """Returns whether every job ended."""
        self.service.stop()
        self.thread.join(20)
        return self.ended[0]


@pytest.fixture
def release() -> Iterator[Event]:
    """Ends the jobs that hang, with the test."""
    release = Event()
    yield release
    release.set()


class Counting:
    """A job that counts how often it was started, and fails at first."""

    def __init__(self, *errors: BaseException) -> None:
        self.errors = list(errors)
        self.starts = 0

    def run(self, stopping: Event, say: Say) -> None:
        self.starts += 1
        if self.errors:
            raise self.errors.pop(0)
        say("working")
        stopping.wait()


def row() -> Worker:
    return Worker.objects.get()


def until_so(is_so: Any) -> None:
    until(is_so, seconds=20, output=lambda: str(list(Worker.objects.values())))


def test_all_jobs_run_and_the_row_shows_what_they_do() -> None:
    first, second = Counting(), Counting()
    running = Running(Job("delivery", first.run), Job("sync", second.run))
    until_so(lambda: first.starts == second.starts == 1 and Worker.objects.exists())
    assert running.stop()
    assert row().jobs == {"delivery": "working", "sync": "working"}
    assert row().stopped_at is not None


@pytest.mark.parametrize("error", [ValueError("broken"), DatabaseError("gone"), SystemExit(3)])
def test_a_job_that_fails_is_started_again_while_the_others_go_on(error: BaseException) -> None:
    failing, other = Counting(error, error, error), Counting()
    running = Running(Job("delivery", failing.run), Job("sync", other.run))
    until_so(lambda: failing.starts == 4)
    assert running.stop()
    assert other.starts == 1


def test_a_failure_is_logged_once_a_minute_and_shown_without_the_keys(
    caplog: pytest.LogCaptureFixture,
) -> None:
    failing = Counting(*[ValueError("not sk_secret_1")] * 50)
    with override_settings(PARTNERSTACK_SECRET_KEY="sk_secret_1"):
        running = Running(Job("delivery", failing.run))
        until_so(lambda: failing.starts > 50)
        assert running.stop()
    [record] = caplog.records
    assert record.getMessage() == "delivery failed; trying again. ValueError: not ***"
    assert record.exc_info


def test_it_ends_although_a_job_hangs(release: Event, caplog: pytest.LogCaptureFixture) -> None:
    hanging = Job("sync", lambda stopping, say: bool(release.wait()) and None)
    running = Running(hanging, patience=0.1)
    until_so(Worker.objects.exists)
    assert not running.stop()
    assert [record.getMessage() for record in caplog.records] == ["Stopped while busy: sync."]
    assert row().stopped_at is not None


def test_a_request_in_flight_is_waited_for() -> None:
    finished = []

    def send(stopping: Event, say: Say) -> None:
        stopping.wait()
        time.sleep(0.3)  # The answer of a slow PartnerStack.
        finished.append(True)

    running = Running(Job("delivery", send, seconds_to_end=20), patience=0.01)
    until_so(Worker.objects.exists)
    assert running.stop()
    assert finished == [True]


def test_it_can_be_stopped_more_than_once_and_before_it_runs() -> None:
    service = Service([Job("sync", Counting().run)], mode="test")
    service.stop()
    service.stop()
    assert service.run()
