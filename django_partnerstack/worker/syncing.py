"""The sync of the mirrors by the worker: which resources are due, and one run of each."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from functools import partial
from threading import Event

from ..client import Client
from ..conf import conf
from ..exceptions import PartnerStackError, SyncLocked
from ..models import SyncState
from ..resources import RESOURCES
from ..sync import Pulled, pull
from ..sync.lease import states
from ..sync.pull import FATAL
from ..throttle.clock import Clock
from .job import Stopping
from .schedule import RETRY, Schedule, site_schedule

logger = logging.getLogger(__name__)

COUNTS = ("created", "updated", "missing", "unusable")


def next_due(mode: str, now: datetime) -> datetime | None:
    """When the next sync of any resource is due, by one query."""
    schedule, known = site_schedule(), _states(mode)
    return min(schedule.due_at(_state(known, mode, name), now) for name in RESOURCES)


def sync_due(
    mode: str,
    *,
    client: Client,
    clock: Clock,
    acquire_slot: Callable[[], None],
    stop: Event,
    limit: int = 100,
) -> int:
    """
    Sync each resource that is due, one after the other. Returns how many were finished.

    A resource that another process is syncing is left to it. An error of PartnerStack is logged and stored,
    and that resource is tried again after a minute. Raises Stopping between two pages once ``stop`` is set.
    """
    schedule, known, finished = site_schedule(), _states(mode), 0
    for name in list(RESOURCES)[:limit]:
        if stop.is_set():
            raise Stopping
        state = _state(known, mode, name)
        if schedule.due_at(state, clock.now()) > clock.now():
            continue
        full = schedule.is_full_due(state, clock.now())
        try:
            pulled = pull(
                name,
                client=client,
                mode=mode,
                full=full,
                is_due=partial(_is_due, schedule, clock, full),
                on_page=lambda pulled: _go_on(stop),
                now=clock.now,
            )
        except SyncLocked:
            continue
        except PartnerStackError as error:
            text = conf.without_keys(str(error))
            logger.warning("%s: %s The next attempt is in %s s.", name, text, int(RETRY.total_seconds()))
            if isinstance(error, FATAL):
                break
        else:
            finished += pulled.finished
            _log(pulled)
    return finished


def _states(mode: str) -> dict[str, SyncState]:
    return {state.resource: state for state in states().filter(mode=mode)}


def _state(known: dict[str, SyncState], mode: str, name: str) -> SyncState:
    return known.get(name) or SyncState(mode=mode, resource=name)


def _is_due(schedule: Schedule, clock: Clock, full: bool, state: SyncState) -> bool:
    """Whether it is still due: another process may have finished the same sync since the state was read."""
    now = clock.now()
    return schedule.due_at(state, now) <= now and schedule.is_full_due(state, now) is full


def _go_on(stop: Event) -> None:
    if stop.is_set():
        raise Stopping


def _log(pulled: Pulled) -> None:
    counts = [f"{getattr(pulled, name):,} {name}" for name in COUNTS if getattr(pulled, name)]
    if counts:
        logger.info("%s: %s", pulled.resource, ", ".join(counts))
