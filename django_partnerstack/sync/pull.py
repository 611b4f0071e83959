"""One resource from PartnerStack into its mirror."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from django.utils import timezone

from ..client import Client, Page
from ..exceptions import PartnerStackError, RecordError
from ..mapping import Difference
from ..models import SyncState
from .lease import hold, states
from .page_writer import DryRun, PageWriter
from .resources import RESOURCES, Resource
from .walk import OVERLAP, Walk, read

#: How many unusable objects are kept for the report; all are counted.
REPORTED = 20


@dataclass
class Pulled:
    """What a pull of one resource did, or would have done. Counts of objects."""

    resource: str
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    missing: int = 0
    unusable: int = 0
    reasons: list[RecordError] = field(default_factory=list)
    #: The walk came to its end.
    finished: bool = False
    #: What ended it early. Pages that were stored before stay, and the next run goes on behind them.
    error: PartnerStackError | None = None

    @property
    def complete(self) -> bool:
        """The mirror now holds all that PartnerStack listed."""
        return self.finished and not self.unusable

    @property
    def read(self) -> int:
        return self.created + self.updated + self.unchanged + self.unusable

    def add(self, page: Page, difference: Difference) -> None:
        self.created += len(difference.created)
        self.updated += len(difference.updated)
        self.unchanged += difference.unchanged
        self.unusable += len(page.unusable)
        self.reasons += page.unusable[: REPORTED - len(self.reasons)]


def pull(
    name: str,
    *,
    client: Client,
    mode: str,
    full: bool = False,
    since: datetime | None = None,
    dry_run: bool = False,
    on_page: Callable[[Pulled], None] = lambda pulled: None,
    now: Callable[[], datetime] = timezone.now,
) -> Pulled:
    """
    Bring the mirror of one resource up to date.

    Reads what changed since the last complete pull, or since ``since``; ``full`` reads everything and marks
    the rows that are no longer there. A page is stored together with the place to go on from, so that a run
    that ended early, however it ended, is taken up where it stopped. ``dry_run`` compares and writes nothing.
    ``on_page`` is called after each page with what was done so far.

    Raises SyncLocked if another run is at it, and the client's errors; what was stored until then stays.
    Not for use within a transaction.
    """
    resource = RESOURCES[name]
    pulled = Pulled(name)
    with _recording(resource, mode, dry_run, now) as (recording, state):
        walk = _walk(state, full, since, now())
        recording.begin(walk)
        for page in read(client, resource, walk):
            pulled.add(*recording.page(page, walk))
            on_page(pulled)
        pulled.missing = recording.end(walk)
    pulled.finished = True
    return pulled


@contextmanager
def _recording(
    resource: Resource, mode: str, dry_run: bool, now: Callable[[], datetime]
) -> Iterator[tuple[PageWriter | DryRun, SyncState]]:
    if dry_run:
        state = states().filter(mode=mode, resource=resource.name).first() or SyncState()
        state.checkpoint = None
        yield DryRun(resource, mode), state
    else:
        with hold(mode, resource.name, now) as held:
            yield PageWriter(resource, held), held.state


def _walk(state: SyncState, full: bool, since: datetime | None, now: datetime) -> Walk:
    """The walk that was interrupted, if it covers what is asked for, or a new one."""
    if not full and since is None and state.watermark is not None:
        since = state.watermark - OVERLAP
    wanted = Walk(full=full, since=None if full else since, started_at=now)
    found = Walk.from_json(state.checkpoint) if state.checkpoint is not None else None
    if found is not None and found.covers(wanted):
        return found
    state.checkpoint = None
    return wanted
