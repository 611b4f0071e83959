"""Which jobs a site has, and what they cost while there is nothing to do."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from threading import Event
from typing import Any

import pytest
from django.db import connection
from django.test import override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from django_partnerstack.models import SyncState, Worker
from django_partnerstack.resources import RESOURCES
from django_partnerstack.sandbox import TEST_KEYS, Sandbox
from django_partnerstack.worker import site_jobs
from django_partnerstack.worker.heartbeat import heartbeat
from django_partnerstack.worker.job import Job
from tests.outbox.site import StillClock

from .conftest import PassingTime

KEYS = dict(zip(("PARTNERSTACK_PUBLIC_KEY", "PARTNERSTACK_SECRET_KEY"), TEST_KEYS, strict=True))
#: Less than until the next sync.
SECONDS = 240


@pytest.fixture
def synced(transactional_db: None, clock: StillClock) -> Iterator[None]:
    """A site whose mirrors are fresh, and that has nothing to send."""
    now = clock.now()
    for name in RESOURCES:
        SyncState.objects.create(mode="test", resource=name, completed_at=now, full_completed_at=now)
    at = timezone.localtime(now - timedelta(hours=1))
    secrets = ["canary-0123456789-0123456789-0123456789"]
    with override_settings(
        **KEYS, PARTNERSTACK_FULL_SYNC_AT=f"{at:%H:%M}", PARTNERSTACK_WEBHOOK_SECRETS=secrets
    ):
        yield


def queries(job: Job, clock: StillClock) -> int:
    """The queries of a job in its first minutes."""
    with CaptureQueriesContext(connection) as captured:
        job.run(PassingTime(clock, SECONDS), lambda text: None)
    return len(captured)


def test_an_idle_worker_sends_two_queries_a_second_at_most(synced: None, clock: StillClock) -> None:
    started = clock.now()
    counts = {}
    for job in (*site_jobs(clock=clock), heartbeat("test", dict)):
        clock.at = started
        counts[job.name] = queries(job, clock)
    rate = sum(counts.values()) / SECONDS
    print(f"\nidle: {rate:.2f} queries a second, {counts} in {SECONDS} s")
    assert list(counts) == ["delivery", "webhooks", "sync", "heartbeat"]
    assert rate <= 2
    assert not SyncState.objects.exclude(attempted_at=None).exists()


def test_the_delivery_says_what_it_does(synced: None, clock: StillClock) -> None:
    said: list[str] = []
    site_jobs(clock=clock)[0].run(PassingTime(clock, 5), said.append)
    assert said == ["sending what is due"]


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ({}, ["delivery", "sync"]),
        ({"PARTNERSTACK_PUSH_ENABLED": False}, ["sync"]),
        ({"PARTNERSTACK_SYNC_EVERY": 0}, ["delivery"]),
        ({"PARTNERSTACK_SYNC_EVERY": 0, "PARTNERSTACK_PUSH_ENABLED": False}, []),
    ],
)
def test_the_settings_turn_jobs_off(given: dict[str, Any], names: list[str]) -> None:
    with override_settings(**given):
        assert [job.name for job in site_jobs()] == names


def test_the_sync_follows_its_clock_for_an_hour(synced: None, clock: StillClock) -> None:
    """Every five minutes, neither more nor less often."""
    sandbox = Sandbox(customers=3)
    began: list[float] = []

    class Counted(Sandbox):
        def handle(self, method: str, target: str, *rest: Any) -> Any:
            if target.startswith("/api/v2/customers"):
                began.append(clock.now().timestamp())
            return sandbox.handle(method, target, *rest)

    with Counted().serve() as server, override_settings(PARTNERSTACK_API_URL=f"{server.url}/api/v2"):
        [job] = [job for job in site_jobs(clock=clock) if job.name == "sync"]
        job.run(PassingTime(clock, 3601), lambda text: None)
    assert len(began) == 12
    assert all(300 <= after - before <= 301 for before, after in pairwise(began))


def test_the_sync_says_until_when_it_waits(synced: None, clock: StillClock) -> None:
    said: list[str] = []
    [job] = [job for job in site_jobs(clock=clock) if job.name == "sync"]
    until = clock.now() + timedelta(seconds=300)
    job.run(PassingTime(clock, 10), said.append)
    assert said == [f"waiting until {until:%H:%M:%S} UTC"]


def test_a_retry_of_a_read_does_not_delay_the_end(transactional_db: None, clock: StillClock) -> None:
    """PartnerStack asks to wait for a minute."""
    sandbox = Sandbox()
    sandbox.faults.add("status", status=429, retry_after=60)
    with sandbox.serve() as server, override_settings(**KEYS, PARTNERSTACK_API_URL=f"{server.url}/api/v2"):
        [job] = [job for job in site_jobs(clock=clock) if job.name == "sync"]

        class StopsAtTheFirstWait(Event):
            def wait(self, timeout: float | None = None) -> bool:
                self.set()
                return super().wait(timeout)

        job.run(StopsAtTheFirstWait(), lambda text: None)
    assert not SyncState.objects.exclude(lease_owner="").exists()
    assert not Worker.objects.exists()


@pytest.mark.django_db
def test_webhooks_are_a_job_of_sites_that_receive_them() -> None:
    assert "webhooks" not in [job.name for job in site_jobs()]
    with override_settings(PARTNERSTACK_WEBHOOK_SECRETS=["x" * 32]):
        assert "webhooks" in [job.name for job in site_jobs()]
