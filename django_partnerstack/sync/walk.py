"""Walking the list of one resource, page by page, in a way that can stop anywhere and go on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from ..client import Client, Page
from ..exceptions import BadRequest, NotFound, PagingError
from .resources import Resource

#: How far an incremental walk looks back behind the last one. A new object can take minutes to show up in
#: the lists under its old time, filters may leave out their own bound, and clocks differ.
OVERLAP = timedelta(minutes=15)

PAGE_SIZE = 250


@dataclass
class Walk:
    """How far a walk has come: all that the next run needs to go on."""

    full: bool
    started_at: datetime
    since: datetime | None = None
    #: Which of the resource's lists, and the last key of the page before this one and of the one before that.
    list_index: int = 0
    cursor: str | None = None
    previous: str | None = None
    #: The newest change seen so far, by PartnerStack's clock.
    newest: datetime | None = None

    def to_json(self) -> dict[str, Any]:
        return {name: _iso(value) for name, value in asdict(self).items()}

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Walk:
        times = {name: _time(stored[name]) for name in ("started_at", "since", "newest")}
        return cls(**{**stored, **times})

    def covers(self, other: Walk) -> bool:
        """Whether this walk reads everything that the other would."""
        if self.full or other.full:
            return self.full
        return self.since is None or (other.since is not None and self.since <= other.since)

    def watermark_after(self, before: datetime | None) -> datetime | None:
        """
        Up to where everything has been seen once this walk is complete, given up to where it was before.

        Never later than the walk's start: what changed meanwhile, behind its back, is for the next one, and
        scheduled rewards are dated months ahead. A walk that left a gap behind the last one moves nothing.
        """
        if self.newest is None or (self.since is not None and (before is None or before < self.since)):
            return before
        reached = min(self.newest, self.started_at)
        return max(before, reached) if before else reached

    def passed(self, page: Page, resource: Resource) -> None:
        """Move behind a page."""
        ages = (getattr(record, resource.age_field) for record in page.records)
        self.newest = max((age for age in (*ages, self.newest) if age), default=None)
        self.previous, self.cursor = self.cursor, page.next_cursor
        if page.next_cursor is None:
            self.list_index, self.previous = self.list_index + 1, None


def read(client: Client, resource: Resource, walk: Walk) -> Iterator[Page]:
    """
    The pages from where the walk stands to its end; the walk stands behind each when it is handed out.

    Raises the client's errors, and PagingError if the list leads in a circle.
    """
    met: Counter[tuple[int, str]] = Counter()
    while walk.list_index < len(resource.lists):
        page = _turn(_asker(client, resource, walk), walk)
        if page.next_cursor is not None:
            met[walk.list_index, page.next_cursor] += 1
            # Twice: the list begun anew after the object under the cursor was deleted. Thrice: a circle.
            if page.next_cursor == walk.cursor or met[walk.list_index, page.next_cursor] > 2:
                raise PagingError(f"The list of {resource.name} leads back to a page that was read before.")
        walk.passed(page, resource)
        yield page


def _asker(client: Client, resource: Resource, walk: Walk) -> Callable[[str | None], Page]:
    filters = dict(resource.lists[walk.list_index])
    if walk.since is not None:
        filters[resource.since] = walk.since
    listing = getattr(client, resource.name).list
    return lambda cursor: listing(limit=PAGE_SIZE, starting_after=cursor, **filters)


def _turn(ask: Callable[[str | None], Page], walk: Walk) -> Page:
    """
    The page behind the cursor, also if the object under the cursor has been deleted meanwhile.

    What PartnerStack answers then is not documented. An error or an empty page after "there is more" is
    taken as a hint, and the page before is read again, or the first one if its cursor is gone too: it tells
    whether the cursor's object is still there.
    """
    refused: Exception | None = None
    try:
        page = ask(walk.cursor)
    except (BadRequest, NotFound) as error:
        if walk.cursor is None:
            raise
        refused = error
    else:
        if walk.cursor is None or page.records or page.unusable:
            return page
    for earlier in dict.fromkeys((walk.previous, None)):
        try:
            before = ask(earlier)
        except (BadRequest, NotFound):
            if earlier is None:
                raise
        else:
            if before.records or before.unusable:
                break
    if before.next_cursor != walk.cursor:
        walk.cursor = earlier
        return before
    if refused is not None:
        raise refused
    return page


def _iso(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _time(value: str | None) -> datetime | None:
    return datetime.fromisoformat(value) if value else None
