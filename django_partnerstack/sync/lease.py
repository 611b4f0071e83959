"""Which run may sync a resource: only one at a time, even after a run was killed."""

from __future__ import annotations

import hashlib
import os
import socket
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
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
        self.owner = f"{machine()}:{os.getpid()}:{uuid.uuid4().hex[:12]}"
        #: Columns of the state that are written when the lease ends.
        self.at_end: dict[str, Any] = {}
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
                "ends; if it was killed on another machine or in another container, its lease expires within "
                f"{int(LEASE.total_seconds() // 60)} minutes."
            )
        self.state.refresh_from_db(using=self._states.db)
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._write(self.owner, lease_owner="", lease_expires_at=None, **self.at_end)

    def save(self, **columns: Any) -> None:
        """Update the state and renew the lease. Raises ``SyncLocked`` if it was lost: then roll back."""
        if not self._write(self.owner, lease_expires_at=self.now() + LEASE, **columns):
            raise SyncLocked(f"Another run has taken over {self.resource} ({self.mode}).")

    def _write(self, owner: str, **columns: Any) -> int:
        return self._states.filter(pk=self.state.pk, lease_owner=owner).update(**columns)


def states() -> QuerySet[SyncState]:
    """The states in the database that they are written to; a replica may lag behind."""
    return SyncState.objects.using(router.db_for_write(SyncState))


def machine() -> str:
    """
    The host's name, and what distinguishes the processes that this process can see from all others.

    That is the boot of the kernel and the PID namespace, because containers and machines can have the same
    name. Empty after the colon where the system does not tell.
    """
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        seen = f"{boot} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return f"{socket.gethostname()}:"
    return f"{socket.gethostname()}:{hashlib.sha256(seen.encode()).hexdigest()[:12]}"


def _has_ended(owner: str) -> bool:
    """
    Whether the owner is a process that has ended.

    False if that is not certain: if it ran elsewhere, or the system does not tell. Then its lease expires.
    """
    here = machine()
    if here.endswith(":") or not owner.startswith(f"{here}:"):
        return False
    pid = owner.removeprefix(f"{here}:").partition(":")[0]
    try:
        os.kill(int(pid), 0)
    except OSError as error:
        return isinstance(error, ProcessLookupError)
    return False
