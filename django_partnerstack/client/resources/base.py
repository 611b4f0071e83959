"""What every list of the API can do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic

from ...exceptions import InvalidArgument, PagingError, RecordError
from ..api import Api, query
from ..records import R
from ..replies import Malformed
from ..validation import path_segment

#: The most objects that PartnerStack returns in one page.
MAX_PAGE_SIZE = 250
#: The most pages of a list: ten million objects, far more than any programme has.
MAX_PAGES = 40_000


@dataclass(frozen=True, slots=True)
class Page(Generic[R]):
    """
    One page of a list.

    ``unusable`` has a ``RecordError`` for each object that cannot be a record. Its ``position`` counts all
    objects of the page from 0.
    ``next_cursor`` is the key to continue from. It is None on the last page: PartnerStack says so, or the
    page is empty, or its last object has no key.
    ``total`` is None except for the few lists that have it.
    """

    records: tuple[R, ...] = ()
    unusable: tuple[RecordError, ...] = ()
    has_more: bool = False
    next_cursor: str | None = None
    total: int | None = None

    def __iter__(self) -> Iterator[R]:
        """The records in order. Raises the error of the first unusable object in its place."""
        if not self.unusable:
            yield from self.records
            return
        # All objects before the first unusable one are records, so its position is their number.
        yield from self.records[: self.unusable[0].position]
        raise self.unusable[0]


class Listing(Generic[R]):
    """
    A list of objects, newest first.

    Filters have the names that PartnerStack gives them (docs.partnerstack.com/reference). A datetime must
    have a time zone. Whether ``min_created`` and the like include the bound itself is not documented.
    """

    def __init__(self, api: Api, record: type[R]) -> None:
        self._api = api
        self.record = record
        self.path = f"/{record.resource}"

    def list(self, limit: int = MAX_PAGE_SIZE, starting_after: str | None = None, **filters: Any) -> Page[R]:
        """
        One page of up to ``limit`` objects: those that follow the key ``starting_after``.

        A ``limit`` below 1 counts as 1, above 250 as 250. Raises ``InvalidArgument`` or a ``RequestError``,
        but no ``RecordError``: see ``Page.unusable``. Safe to repeat.
        """
        params = _page_query(limit, starting_after, filters)
        return self._api.call("GET", self.path, lambda data: read_page(self.record, data), params=params)

    def pages(
        self, starting_after: str | None = None, limit: int = MAX_PAGE_SIZE, **filters: Any
    ) -> Iterator[Page[R]]:
        """
        All pages that follow the key ``starting_after``, each requested when it is needed.

        Raises ``InvalidArgument`` at once. The iterator raises the errors of ``list``, and ``PagingError`` if
        the list would never end: it repeats a cursor, or has more than 40,000 pages. Safe to repeat.
        """
        if filters.get("ending_before") is not None:
            raise InvalidArgument("Pages are read forward: give starting_after, not ending_before.")
        _page_query(limit, starting_after, filters)
        return paginate(lambda cursor: self.list(limit, cursor, **filters), starting_after)

    def iterate(self, **filters: Any) -> Iterator[R]:
        """
        All records of all pages. Takes the arguments of ``pages`` and raises its errors.

        Raises the ``RecordError`` of an unusable object in its place; ``pages`` continues after it.
        """
        return (record for page in self.pages(**filters) for record in page)

    def _address(self, name: str, key: str) -> str:
        """The path of one object. ``name``: the name of the key in an error message."""
        return f"{self.path}/{path_segment(name, key)}"

    def _request(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> R:
        """Send a request whose response is an object of this list."""
        return self._api.call(method, path, to_record(self.record), json=body)


def _page_query(limit: int, starting_after: str | None, filters: Mapping[str, Any]) -> list[tuple[str, str]]:
    if isinstance(limit, bool) or not isinstance(limit, int):
        raise InvalidArgument("limit must be an int.")
    if starting_after is not None and filters.get("ending_before") is not None:
        raise InvalidArgument("Give starting_after or ending_before, not both.")
    size = min(max(limit, 1), MAX_PAGE_SIZE)
    return query({"limit": size, "starting_after": starting_after, **filters})


def read_page(record: type[R], data: Any) -> Page[R]:
    """The page in the data of a response. An unusable object does not prevent the others from being read."""
    items = data.get("items") if isinstance(data, dict) else None
    if not isinstance(items, list):
        raise Malformed("the list has no items")
    records: list[R] = []
    unusable: list[RecordError] = []
    for position, item in enumerate(items):
        try:
            records.append(record.from_api(item))
        except RecordError as error:
            error.position = position
            unusable.append(error)
    has_more = data.get("has_more") is True
    total = data.get("total")
    return Page(
        records=tuple(records),
        unusable=tuple(unusable),
        has_more=has_more,
        next_cursor=_last_key(items) if has_more else None,
        total=total if type(total) is int else None,
    )


def _last_key(items: list[Any]) -> str | None:
    last = items[-1] if items else None
    key = last.get("key") if isinstance(last, dict) else None
    return key if isinstance(key, str) and key else None


def paginate(
    fetch: Callable[[str | None], Page[R]], starting_after: str | None, max_pages: int = MAX_PAGES
) -> Iterator[Page[R]]:
    """
    All pages from a cursor on, each fetched when it is needed.

    Raises ``PagingError`` when a cursor is repeated, after the page that repeats it, and if there are more
    than ``max_pages``.
    """
    seen = {starting_after}
    cursor = starting_after
    while True:
        check_number_of_pages(len(seen), "The list", max_pages)
        page = fetch(cursor)
        yield page
        cursor = page.next_cursor
        if cursor is None:
            return
        if cursor in seen:
            raise PagingError("PartnerStack returned the same cursor twice, so the list would never end.")
        seen.add(cursor)


def check_number_of_pages(number: int, name: str, max_pages: int) -> None:
    """Raises ``PagingError`` for a list that has this many pages and more."""
    if number > max_pages:
        raise PagingError(f"{name} did not end after {max_pages:,} pages, so it would never end.")


def to_record(record: type[R]) -> Callable[[Any], R]:
    """Converts the data of a response, which must be an object, to a record."""

    def convert(data: Any) -> R:
        if not isinstance(data, dict):
            raise Malformed("the response has no object")
        return record.from_api(data)

    return convert


def nothing(data: Any) -> None:
    """For a response that has only a message."""
