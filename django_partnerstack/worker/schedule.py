"""When the mirror of a resource is synced, by what the database says about its last syncs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo

from django.utils import timezone

from ..conf import conf
from ..models import SyncState

#: After an attempt that failed or was killed, the next begins no sooner.
RETRY = timedelta(minutes=1)


@dataclass(frozen=True)
class Schedule:
    """
    ``every``: between two syncs. ``full_at``: the time of day of a full sync, in ``zone``; None for none.

    A full sync that was missed, because no worker ran, is made up for at once.
    """

    every: timedelta
    full_at: time | None
    zone: tzinfo

    def due_at(self, state: SyncState, now: datetime) -> datetime:
        """When the resource is due: not after ``now`` if it is due now."""
        due = now if state.completed_at is None else state.completed_at + self.every
        if self.full_at is not None:
            _, following = self._full_syncs(self.full_at, now)
            due = min(due, now if self.is_full_due(state, now) else following)
        if has_failed(state) and state.attempted_at is not None:
            due = max(due, state.attempted_at + min(RETRY, self.every))
        return due

    def is_full_due(self, state: SyncState, now: datetime) -> bool:
        """Whether the next sync has to be a full sync."""
        if self.full_at is None:
            return False
        last, _ = self._full_syncs(self.full_at, now)
        return state.full_completed_at is None or state.full_completed_at < last

    def _full_syncs(self, at: time, now: datetime) -> tuple[datetime, datetime]:
        """When the last full sync had to begin, and when the next has to."""
        today = now.astimezone(self.zone).date()
        days = (today + timedelta(days=number) for number in (-1, 0, 1))
        yesterdays, todays, tomorrows = (datetime.combine(day, at, tzinfo=self.zone) for day in days)
        return (todays, tomorrows) if todays <= now else (yesterdays, todays)


def has_failed(state: SyncState) -> bool:
    """Whether the last run did not finish, or is still running."""
    if state.attempted_at is None:
        return False
    return state.completed_at is None or state.completed_at < state.attempted_at


def site_schedule() -> Schedule:
    """
    The schedule of the settings.

    Raises ValueError if one of them cannot be used; a check says so too.
    """
    return Schedule(
        every=timedelta(seconds=conf.sync_every),
        full_at=time_of_day(conf.full_sync_at) if conf.full_sync_at else None,
        zone=timezone.get_default_timezone(),
    )


def time_of_day(text: str) -> time:
    """``"03:30"`` as a time. Raises ValueError for anything else."""
    return datetime.strptime(text, "%H:%M").time()
