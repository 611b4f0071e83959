"""Who may walk a resource: one run at a time, also when the last one was killed."""

from __future__ import annotations

import os
import socket
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.db import router, transaction
from django.db.models import QuerySet

from ..exceptions import SyncLocked
from ..models import SyncState

#: How long a run is trusted to be alive after it stored a page; longer than a page can take to come.
LEASE = timedelta(minutes=5)


class ResourceLease:
    """One run's hold on a SyncState. The run writes through it, so that a lost hold writes nothing."""

    def __init__(self, state: SyncState, now: Callable[[], datetime]) -> None:
        self.state = state
        self.states = states()
        self.now = now
        self.name = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:12]}"

    def take(self) -> None:
        """Raises SyncLocked if a run that may be alive holds the resource."""
        now = self.now()
        found = self.states.get(pk=self.state.pk)
        free = found.lease_expires_at is None or found.lease_expires_at < now or _is_dead(found.lease_owner)
        if not free or not self._write(
            found.lease_owner, lease_owner=self.name, lease_expires_at=now + LEASE
        ):
            raise SyncLocked(
                f"Another run is at {found.resource} ({found.mode}): {found.lease_owner}. "
                "Wait for it to end; if it died on another machine, its hold ends by itself within "
                f"{int(LEASE.total_seconds() // 60)} minutes."
            )
        self.state.refresh_from_db(using=self.states.db)

    def save(self, **columns: Any) -> None:
        """Write to the state and hold on. Raises SyncLocked if the hold was lost: roll back then."""
        if not self._write(self.name, lease_expires_at=self.now() + LEASE, **columns):
            raise SyncLocked(f"Another run has taken over {self.state.resource} ({self.state.mode}).")

    def release(self) -> None:
        self._write(self.name, lease_owner="", lease_expires_at=None)

    def _write(self, holder: str, **columns: Any) -> int:
        return self.states.filter(pk=self.state.pk, lease_owner=holder).update(**columns)


def states() -> QuerySet[SyncState]:
    """The states where they are written; a replica may be behind."""
    return SyncState.objects.using(router.db_for_write(SyncState))


@contextmanager
def hold(mode: str, resource: str, now: Callable[[], datetime]) -> Iterator[ResourceLease]:
    """
    Hold the lease of one resource of one mode for the block.

    Raises RuntimeError within a transaction: no other run would see the hold, and PartnerStack must not be
    waited for in one.
    """
    with transaction.atomic(states().db, durable=True):
        state, _ = states().get_or_create(mode=mode, resource=resource)
    held = ResourceLease(state, now)
    held.take()
    try:
        yield held
    finally:
        held.release()


def _is_dead(name: str) -> bool:
    """Whether the run of that name is known to have ended: one of this machine's, without a process."""
    host, pid, _ = name.rsplit(":", 2)
    # On Windows os.kill would end the process, whatever the signal.
    if host != socket.gethostname() or os.name != "posix":
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False
