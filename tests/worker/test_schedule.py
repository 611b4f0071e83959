"""When a resource is due, by what the database says about its last syncs."""

from __future__ import annotations

from datetime import datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from django_partnerstack.models import SyncState
from django_partnerstack.worker.schedule import Schedule, time_of_day

NEW_YORK = ZoneInfo("America/New_York")
NOON = datetime(2026, 6, 1, 12, tzinfo=timezone.utc)
#: 03:30 in New York.
NIGHT = datetime(2026, 6, 1, 7, 30, tzinfo=timezone.utc)
FIVE_MINUTES = timedelta(minutes=5)
SCHEDULE = Schedule(every=FIVE_MINUTES, full_at=time(3, 30), zone=NEW_YORK)
INCREMENTAL = Schedule(every=FIVE_MINUTES, full_at=None, zone=NEW_YORK)


def synced(at: datetime, **columns: datetime) -> SyncState:
    return SyncState(**{"completed_at": at, "full_completed_at": at, "attempted_at": at, **columns})


def test_what_was_never_synced_is_due_with_a_full_sync() -> None:
    assert SCHEDULE.due_at(SyncState(), NOON) == NOON
    assert SCHEDULE.is_full_due(SyncState(), NOON)


def test_the_next_sync_is_incremental_and_due_after_five_minutes() -> None:
    state = synced(NOON)
    assert SCHEDULE.due_at(state, NOON) == NOON + FIVE_MINUTES
    assert not SCHEDULE.is_full_due(state, NOON + FIVE_MINUTES)


def test_the_full_sync_is_due_at_its_time_of_day_in_the_sites_time_zone() -> None:
    state = synced(NIGHT - timedelta(minutes=2))
    assert SCHEDULE.due_at(state, NIGHT - timedelta(minutes=1)) == NIGHT
    assert not SCHEDULE.is_full_due(state, NIGHT - timedelta(seconds=1))
    assert SCHEDULE.is_full_due(state, NIGHT)


def test_incremental_syncs_do_not_replace_the_full_sync() -> None:
    state = synced(NIGHT - timedelta(hours=8), completed_at=NIGHT)
    assert SCHEDULE.due_at(state, NIGHT) == NIGHT
    assert SCHEDULE.is_full_due(state, NIGHT)


def test_a_full_sync_is_done_once_a_day() -> None:
    state = synced(NIGHT + timedelta(minutes=1))
    assert not SCHEDULE.is_full_due(state, NIGHT + timedelta(hours=23, minutes=59))
    assert SCHEDULE.is_full_due(state, NIGHT + timedelta(hours=24))


def test_a_full_sync_that_was_missed_is_made_up_for() -> None:
    state = synced(NOON - timedelta(days=3))
    assert SCHEDULE.due_at(state, NOON) <= NOON
    assert SCHEDULE.is_full_due(state, NOON)


@pytest.mark.parametrize(("month", "utc"), [(1, 8), (7, 7)], ids=["winter", "summer"])
def test_the_full_sync_follows_daylight_saving_time(month: int, utc: int) -> None:
    night = datetime(2026, month, 10, utc, 30, tzinfo=timezone.utc)
    state = synced(night - timedelta(hours=3))
    assert not SCHEDULE.is_full_due(state, night - timedelta(seconds=1))
    assert SCHEDULE.is_full_due(state, night)


@pytest.mark.parametrize("before", [NOON - timedelta(days=1), None], ids=["synced", "never synced"])
def test_after_a_failure_a_resource_is_due_in_a_minute(before: datetime | None) -> None:
    state = SyncState(completed_at=before, full_completed_at=before, attempted_at=NOON)
    for schedule in (SCHEDULE, INCREMENTAL):
        assert schedule.due_at(state, NOON) == NOON + timedelta(minutes=1)


def test_after_a_failure_nobody_waits_longer_than_for_the_next_sync() -> None:
    schedule = Schedule(every=timedelta(seconds=10), full_at=None, zone=NEW_YORK)
    assert schedule.due_at(SyncState(attempted_at=NOON), NOON) == NOON + timedelta(seconds=10)


def test_without_a_time_of_day_there_is_no_full_sync() -> None:
    state = synced(NOON - timedelta(days=9))
    assert INCREMENTAL.due_at(state, NOON) <= NOON
    assert not INCREMENTAL.is_full_due(state, NOON)


@pytest.mark.parametrize("text", ["24:00", "3", "03:30:00", "03.30", "noon"])
def test_what_is_not_a_time_of_day_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        time_of_day(text)
