"""The worker's syncs: what is due is synced once, whoever does it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from threading import Event
from typing import Any

import pytest
from django.test import override_settings

from django_partnerstack.models import Customer, SyncState
from django_partnerstack.resources import RESOURCES
from django_partnerstack.signals import objects_synced
from django_partnerstack.sync.lease import LEASE, ResourceLease
from django_partnerstack.worker.job import Stopping
from django_partnerstack.worker.syncing import next_due
from tests.outbox.site import StillClock
from tests.sync.conftest import Programme, mirrored_keys

from .conftest import Sync

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_full_sync_on_the_way(clock: StillClock) -> Iterator[None]:
    """The time of day of the full sync is an hour ago, whenever the tests run."""
    with override_settings(PARTNERSTACK_FULL_SYNC_AT=f"{clock.now() - timedelta(hours=1):%H:%M}"):
        yield


def reads(programme: Programme) -> Counter[str]:
    """How often each list was read."""
    return Counter(
        request.path_url.partition("?")[0].rpartition("/")[2] for request in programme.adapter.requests
    )


def test_the_first_sync_reads_everything_and_nothing_more_is_due(programme: Programme, sync: Sync) -> None:
    assert sync() == len(RESOURCES)
    assert mirrored_keys() == programme.customer_keys()
    assert set(reads(programme).values()) <= {1, 2}  # A resource may have two lists.
    assert sync() == 0


def test_what_changed_is_here_after_the_next_interval(
    programme: Programme, sync: Sync, clock: StillClock
) -> None:
    sync()
    clock.advance(seconds=299)
    programme.sandbox.create("customers", name="New Ltd")
    assert sync() == 0
    clock.advance(seconds=1)
    assert next_due("test", clock.now()) == clock.now()
    assert sync() == len(RESOURCES)
    assert Customer.objects.filter(name="New Ltd").exists()


def test_the_daily_full_sync_finds_what_was_deleted(
    programme: Programme, sync: Sync, clock: StillClock
) -> None:
    sync()
    programme.sandbox.remove("customers", programme.sandbox.objects("customers")[0]["key"])
    clock.advance(minutes=5)
    sync()
    assert not Customer.objects.filter(missing_since__isnull=False).exists()
    clock.advance(days=1)
    sync()
    assert Customer.objects.filter(missing_since__isnull=False).count() == 1


def test_a_resource_that_another_process_syncs_is_left_to_it(
    programme: Programme, sync: Sync, clock: StillClock
) -> None:
    with ResourceLease("test", "customers", clock.now):
        assert sync() == len(RESOURCES) - 1
        assert "customers" not in reads(programme)
    assert sync() == 1


def test_what_another_process_has_just_synced_is_not_read_again(programme: Programme, sync: Sync) -> None:
    """It looked at the states before, and comes to the resource after the other process has finished it."""
    others: list[int] = []

    def another_process(**arguments: Any) -> None:
        if not others:
            others.append(0)
            others[0] = sync()

    objects_synced.connect(another_process)
    try:
        finished = sync()
    finally:
        objects_synced.disconnect(another_process)
    assert finished + others[0] == len(RESOURCES)
    assert finished == 1
    once = reads(programme)
    programme.adapter.requests.clear()
    SyncState.objects.all().delete()
    sync()
    assert once == reads(programme)


def test_a_sync_that_was_killed_is_continued_by_another_process(
    programme: Programme, sync: Sync, clock: StillClock
) -> None:
    sync()
    at = clock.now() + timedelta(minutes=5)
    SyncState.objects.filter(resource="customers").update(
        lease_owner="elsewhere:1:abc", lease_expires_at=at + LEASE, attempted_at=at
    )
    clock.advance(minutes=5)
    assert sync() == len(RESOURCES) - 1
    clock.advance(seconds=LEASE.total_seconds() + 1)
    assert sync() == len(RESOURCES)


def test_a_failure_is_shown_and_repeated_after_a_minute(
    programme: Programme, sync: Sync, clock: StillClock, caplog: pytest.LogCaptureFixture
) -> None:
    programme.sandbox.faults.add("status", status=400, path="/api/v2/customers")
    assert sync() == len(RESOURCES) - 1
    state = SyncState.objects.get(resource="customers")
    assert "400" in state.error
    assert [record.getMessage() for record in caplog.records] == [
        f"customers: {state.error} The next attempt is in 60 s."
    ]
    programme.sandbox.faults.clear()
    assert sync() == 0
    clock.advance(minutes=1)
    assert sync() == 1
    assert SyncState.objects.get(resource="customers").error == ""


def test_rejected_keys_end_the_round(programme: Programme, sync: Sync, clock: StillClock) -> None:
    programme.sandbox.faults.add("status", status=401)
    sync()
    assert SyncState.objects.exclude(error="").count() == 1


def test_a_stopping_worker_ends_after_the_page_and_another_continues(
    programme: Programme, sync: Sync, clock: StillClock
) -> None:
    stop = Event()

    def stop_now(**arguments: Any) -> None:
        stop.set()

    objects_synced.connect(stop_now)
    try:
        with pytest.raises(Stopping):
            sync(stop)
    finally:
        objects_synced.disconnect(stop_now)
    assert not SyncState.objects.exclude(lease_owner="").exists()
    clock.advance(minutes=1)
    assert sync() == len(RESOURCES)
