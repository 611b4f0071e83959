"""Which run may sync a resource: only one at a time, even after a run was killed."""

from __future__ import annotations

import os
import socket
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import router, transaction
from django.db.models import QuerySet

from ..exceptions import SyncLocked
from ..models import SyncState

#: How long a lease lasts after each stored page. Must be longer than a page can take.
LEASE = timedelta(minutes=5)


class ResourceLease:
    """
    The right of one run to sync one resource of one mode, for a ``with`` block.

    The run writes to the ``state`` through it, so that a run that has lost its lease writes nothing. Raises
    ``SyncLocked`` if another run has the lease, and ``RuntimeError`` inside a transaction: other runs would
    not see the lease, and no transaction may wait for PartnerStack.
    """

    state: SyncState

    def __init__(self, mode: str, resource: str, now: Callable[[], datetime]) -> None:
        self.mode = mode
        self.resource = resource
        self.now = now
        self.owner = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:12]}"
        self._states = states()

    def __enter__(self) -> ResourceLease:
        with transaction.atomic(self._states.db, durable=True):
            self.state, _ = self._states.get_or_create(mode=self.mode, resource=self.resource)
        now, before = self.now(), self.state
        expired = before.lease_expires_at is None or before.lease_expires_at < now
        available = expired or _has_ended(before.lease_owner)
        if not available or not self._write(
            before.lease_owner, lease_owner=self.owner, lease_expires_at=now + LEASE
        ):
            raise SyncLocked(
                f"Another run is syncing {self.resource} ({self.mode}): {before.lease_owner}. Wait until it "
                "ends; if it was killed on another machine, its lease expires within "
                f"{int(LEASE.total_seconds() // 60)} minutes."
            )
        self.state.refresh_from_db(using=self._states.db)
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._write(self.owner, lease_owner="", lease_expires_at=None)

    def save(self, **columns: Any) -> None:
        """Update the state and renew the lease. Raises ``SyncLocked`` if it was lost: then roll back."""
        if not self._write(self.owner, lease_expires_at=self.now() + LEASE, **columns):
            raise SyncLocked(f"Another run has taken over {self.resource} ({self.mode}).")

    def _write(self, owner: str, **columns: Any) -> int:
        return self._states.filter(pk=self.state.pk, lease_owner=owner).update(**columns)


def states() -> QuerySet[SyncState]:
    """The states in the database that they are written to; a replica may lag behind."""
    return SyncState.objects.using(router.db_for_write(SyncState))


def _has_ended(owner: str) -> bool:
    """Whether the owner is a process of this machine that has ended."""
    host, pid, _ = owner.rsplit(":", 2)
    # On Windows os.kill would end the process, whatever the signal.
    if host != socket.gethostname() or os.name != "posix":
        return False
    try:
        os.kill(int(pid), 0)
    except OSError as error:
        return isinstance(error, ProcessLookupError)
    return False
