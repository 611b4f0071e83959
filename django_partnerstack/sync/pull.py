"""Copy resources from PartnerStack into their mirrors: ``pull`` copies one resource, ``pull_all`` several."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Event
from typing import Any

from django.db import connections
from django.utils import timezone

from ..client import Client, Page
from ..conf import conf
from ..exceptions import AuthenticationFailed, NotSent, PartnerStackError, RecordError
from ..mapping import Difference
from ..mapping.text import storable
from ..models import SyncState
from ..resources import RESOURCES, Resource
from ..throttle.throttle import record_answer
from .checkpoint import Checkpoint, read_pages, resume_or_start, start
from .lease import ResourceLease, states
from .page_writer import DryRun, PageWriter

#: How many errors of unusable objects are kept for the report. All are counted.
MAX_REASONS = 20

#: No other resource can be pulled after these errors.
FATAL = (AuthenticationFailed, NotSent)


@dataclass
class Pulled:
    """What a pull of one resource did; after a dry run, what it would do. Counts of objects."""

    resource: str
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    missing: int = 0
    unusable: int = 0
    reasons: list[RecordError] = field(default_factory=list)
    #: The pull has read its lists to the end.
    finished: bool = False
    #: Why the pull ended early. The pages before are stored, and the next run resumes after them.
    error: PartnerStackError | None = None

    @property
    def complete(self) -> bool:
        """The mirror has everything that PartnerStack listed."""
        return self.finished and not self.unusable

    @property
    def read(self) -> int:
        return self.created + self.updated + self.unchanged + self.unusable

    @property
    def changed(self) -> int:
        return self.created + self.updated + self.missing

    def add(self, page: Page, difference: Difference) -> None:
        self.created += len(difference.created)
        self.updated += len(difference.updated)
        self.unchanged += difference.unchanged
        self.unusable += len(page.unusable)
        self.reasons += page.unusable[: MAX_REASONS - len(self.reasons)]


def pull(
    name: str,
    *,
    client: Client,
    mode: str,
    full: bool = False,
    since: datetime | None = None,
    dry_run: bool = False,
    is_due: Callable[[SyncState], bool] = lambda state: True,
    on_page: Callable[[Pulled], None] = lambda pulled: None,
    now: Callable[[], datetime] = timezone.now,
) -> Pulled:
    """
    Bring the mirror of one resource up to date.

    Reads what changed since the last complete pull, or since ``since``. ``full`` reads everything and marks
    rows that PartnerStack no longer has as missing. Each page is stored together with a checkpoint, so the
    next run resumes where this run was interrupted, for whatever reason. ``dry_run`` compares and writes
    nothing. ``on_page`` is called after each page with the counts so far.

    ``is_due`` is asked once no other run can sync the resource. If it returns False, because another run has
    just finished, nothing is read, and the result is not ``finished``.

    Raises ``SyncLocked`` if another run is syncing the resource, and the client's errors; stored pages stay
    stored. Raises ``RuntimeError`` inside a transaction, except for a dry run. Safe to repeat.
    """
    resource = RESOURCES[name]
    if dry_run:
        watermarks = states().filter(mode=mode, resource=name).values_list("watermark", flat=True)
        checkpoint = start(watermarks.first(), full=full, since=since, now=now())
        return _copy(client, resource, checkpoint, DryRun(resource, mode), on_page, Pulled(name))
    with ResourceLease(mode, name, now) as lease:
        if not is_due(lease.state):
            return Pulled(name)
        with _recorded(lease) as pulled:
            checkpoint = resume_or_start(lease.state, full=full, since=since, now=now())
            writer = PageWriter(resource, lease)
            writer.begin(checkpoint)
            return _copy(client, resource, checkpoint, writer, on_page, pulled)


@contextmanager
def _recorded(lease: ResourceLease) -> Iterator[Pulled]:
    """Record the run on the state of the resource, and what it shows about the service, also if it fails."""
    began, pulled = lease.now(), Pulled(lease.resource)
    lease.save(attempted_at=began)
    try:
        yield pulled
    except PartnerStackError as error:
        text = storable(conf.without_keys(str(error)))[:255]
        lease.at_end |= {"error": text, "failed_at": lease.now()}
        record_answer(lease.mode, error)
        raise
    else:
        record_answer(lease.mode)
    finally:
        duration = max(lease.now() - began, timedelta())
        lease.at_end |= {"duration": duration, "read": pulled.read, "changed": pulled.changed}


def _copy(
    client: Client,
    resource: Resource,
    checkpoint: Checkpoint,
    writer: PageWriter | DryRun,
    on_page: Callable[[Pulled], None],
    pulled: Pulled,
) -> Pulled:
    for page in read_pages(client, resource, checkpoint):
        pulled.add(*writer.write(page, checkpoint))
        on_page(pulled)
    pulled.missing = writer.end(checkpoint)
    pulled.finished = True
    return pulled


def pull_all(
    names: Iterable[str], *, workers: int = 1, on_page: Callable[[Pulled], None], **options: Any
) -> Iterator[Pulled]:
    """
    Pull resources, and yield the result of each as soon as it ends.

    ``workers``: how many resources are pulled at a time. Several are pulled in threads, each with its own
    database connection. ``options``: see ``pull``.

    Yields an error of PartnerStack as the ``error`` of the result and continues, except after refused keys or
    without a connection. Raises other errors. Safe to repeat.
    """
    results: Iterable[Pulled] = (_attempt(name, on_page, options) for name in names)
    if workers > 1:
        results = _in_threads(names, workers, on_page, options)
    for pulled in results:
        yield pulled
        if isinstance(pulled.error, FATAL):
            return


def _in_threads(
    names: Iterable[str], workers: int, on_page: Callable[[Pulled], None], options: dict[str, Any]
) -> Iterator[Pulled]:
    stopped = Event()

    def page(pulled: Pulled) -> None:
        if stopped.is_set():
            raise PartnerStackError("Stopped with the whole run.")
        on_page(pulled)

    def attempt(name: str) -> Pulled:
        try:
            return _attempt(name, page, options)
        finally:
            connections.close_all()

    pool = ThreadPoolExecutor(workers, thread_name_prefix="partnerstack-sync")
    try:
        pulls = [pool.submit(attempt, name) for name in names]
        yield from (done.result() for done in as_completed(pulls))
    finally:
        stopped.set()
        pool.shutdown(cancel_futures=True)


def _attempt(name: str, on_page: Callable[[Pulled], None], options: dict[str, Any]) -> Pulled:
    so_far = Pulled(name)

    def keep(pulled: Pulled) -> None:
        nonlocal so_far
        so_far = pulled
        on_page(pulled)

    try:
        return pull(name, on_page=keep, **options)
    except PartnerStackError as error:
        so_far.error = error
        return so_far
