"""Lists: one page, and the walk over all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Generic

from ..exceptions import PagingError, RecordError
from .parsing import Malformed
from .records import R


@dataclass(frozen=True, slots=True)
class Page(Generic[R]):
    """
    One page of a list.

    ``unusable`` has an error for each item that is no record; its ``position`` counts all items of the
    page. ``next_cursor`` is None where the walk ends: PartnerStack says that there is no more, the page is
    empty, or its last item has no key to go on from. ``total`` is given for few lists.
    """

    records: tuple[R, ...] = ()
    unusable: tuple[RecordError, ...] = ()
    has_more: bool = False
    next_cursor: str | None = None
    total: int | None = None

    def __iter__(self) -> Iterator[R]:
        """The records in order; raises the error of an unusable item when its turn comes."""
        if not self.unusable:
            yield from self.records
            return
        # Before the first unusable item all are usable, so its position is their number.
        yield from self.records[: self.unusable[0].position]
        raise self.unusable[0]


def read_page(record: type[R], data: Any) -> Page[R]:
    """The page in the data of an answer. An item that is no record never hides the others."""
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
        next_cursor=_cursor(items) if has_more else None,
        total=total if type(total) is int else None,
    )


def _cursor(items: list[Any]) -> str | None:
    last = items[-1] if items else None
    cursor = last.get("key") if isinstance(last, dict) else None
    return cursor if isinstance(cursor, str) and cursor else None


def walk(fetch: Callable[[str | None], Page[R]], starting_after: str | None) -> Iterator[Page[R]]:
    """
    Pages from a cursor to the end, each fetched when it is asked for.

    Raises ``PagingError`` when a cursor comes back a second time; the page that brought it is given first.
    """
    seen = {starting_after}
    cursor = starting_after
    while True:
        page = fetch(cursor)
        yield page
        cursor = page.next_cursor
        if cursor is None:
            return
        if cursor in seen:
            raise PagingError("PartnerStack gave the same cursor twice; the list would never end.")
        seen.add(cursor)
