"""What every resource with a list can do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Generic

from ...exceptions import InvalidArgument
from ..api import Api
from ..arguments import LARGEST_PAGE, list_query
from ..pages import Page, read_page, walk
from ..parsing import Malformed
from ..records import R


class Listing(Generic[R]):
    """
    The objects of one kind, newest first.

    Filters go to PartnerStack as they are named there (docs.partnerstack.com/reference); a datetime must
    have a time zone. ``min_created`` and the like: whether the bound itself is included is not documented.
    """

    path: str
    record: type[R]

    def __init__(self, api: Api) -> None:
        self._api = api

    def list(self, limit: int = LARGEST_PAGE, starting_after: str | None = None, **filters: Any) -> Page[R]:
        """One page of up to ``limit`` (1 to 250) objects: those that follow the key ``starting_after``."""
        params = list_query(limit, starting_after, filters)
        return self._api.call("GET", self.path, lambda data: read_page(self.record, data), params=params)

    def pages(
        self, starting_after: str | None = None, limit: int = LARGEST_PAGE, **filters: Any
    ) -> Iterator[Page[R]]:
        """All pages from the cursor on. Raises ``PagingError`` if they do not come to an end."""
        if filters.get("ending_before") is not None:
            raise InvalidArgument("A walk goes forward only: give starting_after, not ending_before.")
        list_query(limit, starting_after, filters)
        return walk(lambda cursor: self.list(limit, cursor, **filters), starting_after)

    def iterate(self, **filters: Any) -> Iterator[R]:
        """
        All records to the end, a page at a time.

        Raises the ``RecordError`` of an unusable object when it comes to it; ``pages`` goes on beyond it.
        """
        return (record for page in self.pages(**filters) for record in page)


def one(record: type[R]) -> Callable[[Any], R]:
    """Makes a record of the data of an answer, which must be there."""

    def convert(data: Any) -> R:
        if not isinstance(data, dict):
            raise Malformed("the answer holds no object")
        return record.from_api(data)

    return convert


def nothing(data: Any) -> None:
    """For an answer that is a message alone."""
