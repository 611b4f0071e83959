"""
How far the sync of a resource has come, and how it continues.

``resume_or_start`` returns the ``Checkpoint`` at which a run starts; ``read_pages`` reads all pages after it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from ..client import Client, Page
from ..client.resources.base import MAX_PAGES, check_number_of_pages
from ..exceptions import BadRequest, NotFound, PagingError
from ..models import SyncState
from ..resources import Resource

#: How far before the last sync an incremental sync begins. A new object can take minutes to appear in the
#: lists under its old time, a filter may exclude its own bound, and clocks differ.
OVERLAP = timedelta(minutes=15)


@dataclass
class Checkpoint:
    """
    All that a run needs to resume an interrupted run: its window and its position in the lists.

    ``SyncState.checkpoint`` stores it as JSON while a sync is unfinished.
    """

    full: bool
    started_at: datetime
    #: The beginning of the window. None: all objects.
    since: datetime | None = None
    #: Which of the resource's lists comes next, the cursor of its next page and the cursor before that.
    list_index: int = 0
    cursor: str | None = None
    previous_cursor: str | None = None
    #: The time of the newest change so far, by PartnerStack's clock.
    newest: datetime | None = None
    #: How many pages were read so far, by all runs.
    pages: int = 0

    def to_json(self) -> dict[str, Any]:
        return {
            name: value.isoformat() if isinstance(value, datetime) else value
            for name, value in asdict(self).items()
        }

    @classmethod
    def from_json(cls, stored: Any) -> Checkpoint | None:
        """
        A stored checkpoint. None if it cannot be understood, so that the sync starts again.

        Another version of this app may have stored other fields or other values, and to guess what is missing
        could leave a gap.
        """
        if not isinstance(stored, dict) or stored.keys() != {field.name for field in fields(cls)}:
            return None
        try:
            times = {name: stored[name] for name in ("started_at", "since", "newest")}
            parsed = {name: text and datetime.fromisoformat(text) for name, text in times.items()}
            checkpoint = cls(**{**stored, **parsed})
        except (TypeError, ValueError):
            return None
        return checkpoint if checkpoint._is_plausible() else None

    def _is_plausible(self) -> bool:
        times = (self.started_at, self.since, self.newest)
        return (
            isinstance(self.full, bool)
            and self.started_at is not None
            and all(time is None or (isinstance(time, datetime) and time.tzinfo) for time in times)
            and all(type(number) is int and number >= 0 for number in (self.list_index, self.pages))
            and all(key is None or isinstance(key, str) for key in (self.cursor, self.previous_cursor))
        )

    @property
    def is_at_start(self) -> bool:
        return self.list_index == 0 and self.cursor is None

    def covers(self, other: Checkpoint) -> bool:
        """Whether this sync reads everything that the other would."""
        if self.full or other.full:
            return self.full
        return self.since is None or (other.since is not None and self.since <= other.since)

    def advance(self, page: Page, resource: Resource) -> None:
        """Move past this page."""
        times = (getattr(record, resource.time_field) for record in page.records)
        self.newest = max((time for time in (*times, self.newest) if time), default=None)
        self.pages += 1
        self.previous_cursor, self.cursor = self.cursor, page.next_cursor
        if page.next_cursor is None:
            self.list_index, self.previous_cursor = self.list_index + 1, None

    def watermark_after(self, watermark: datetime | None) -> datetime | None:
        """
        Up to when the mirror is complete after this sync, if it was complete up to ``watermark`` before.

        Never later than the start of the sync: a page that was read already may have changed since, and
        scheduled rewards are dated months ahead. A sync that left a gap after the last sync changes nothing.
        """
        leaves_gap = self.since is not None and (watermark is None or watermark < self.since)
        if self.newest is None or leaves_gap:
            return watermark
        reached = min(self.newest, self.started_at)
        return max(watermark, reached) if watermark else reached


def resume_or_start(state: SyncState, *, full: bool, since: datetime | None, now: datetime) -> Checkpoint:
    """
    The checkpoint of an interrupted run if it covers what is requested; otherwise a new checkpoint.

    A run that was stopped because its list did not end is not resumed.
    """
    new = start(state.watermark, full=full, since=since, now=now)
    interrupted = Checkpoint.from_json(state.checkpoint)
    if interrupted is not None and interrupted.covers(new) and interrupted.pages < MAX_PAGES:
        return interrupted
    return new


def start(watermark: datetime | None, *, full: bool, since: datetime | None, now: datetime) -> Checkpoint:
    """A checkpoint at the first page of a window that begins at ``since``, or at the last sync."""
    if since is None and watermark is not None:
        since = watermark - OVERLAP
    return Checkpoint(full=full, since=None if full else since, started_at=now)


def read_pages(
    client: Client, resource: Resource, checkpoint: Checkpoint, max_pages: int = MAX_PAGES
) -> Iterator[Page]:
    """
    The pages after the checkpoint, which advances past each page before it is yielded.

    Raises the client's errors, and ``PagingError`` if the list leads back to an earlier page or has more than
    ``max_pages``, counted over all runs that resumed each other.
    """
    reads: Counter[tuple[int, str]] = Counter()
    while checkpoint.list_index < len(resource.lists):
        check_number_of_pages(checkpoint.pages + 1, f"The list of {resource.name}", max_pages)
        page = _fetch_next_page(client, resource, checkpoint)
        if page.next_cursor is not None:
            place = checkpoint.list_index, page.next_cursor
            reads[place] += 1
            # Twice is possible: the object of a cursor was deleted and the list read again from its start.
            if page.next_cursor == checkpoint.cursor or reads[place] > 2:
                raise PagingError(f"The list of {resource.name} leads back to a page that was read before.")
        checkpoint.advance(page, resource)
        yield page


def _fetch_next_page(client: Client, resource: Resource, checkpoint: Checkpoint) -> Page:
    """
    The page after the cursor, even if the object of the cursor was deleted.

    PartnerStack does not document its response in that case. After an error, or an empty page after "has
    more", the previous page is read again, or the first page if its cursor is deleted too. That page shows
    whether the cursor still exists.
    """

    def fetch(cursor: str | None) -> Page:
        filters = dict(resource.lists[checkpoint.list_index])
        if checkpoint.since is not None:
            filters[resource.since] = checkpoint.since
        page: Page = getattr(client, resource.name).list(starting_after=cursor, **filters)
        return page

    error: Exception | None = None
    try:
        page = fetch(checkpoint.cursor)
    except (BadRequest, NotFound) as refused:
        if checkpoint.cursor is None:
            raise
        error = refused
    else:
        if checkpoint.cursor is None or page.records or page.unusable:
            return page
    for earlier in dict.fromkeys((checkpoint.previous_cursor, None)):
        try:
            before = fetch(earlier)
        except (BadRequest, NotFound):
            if earlier is None:
                raise
        else:
            if before.records or before.unusable:
                break
    if before.next_cursor != checkpoint.cursor:
        checkpoint.cursor = earlier
        return before
    if error is not None:
        raise error
    return page
