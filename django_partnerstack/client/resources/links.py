from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..api import Api
from ..arguments import query, segment
from ..pages import Page, read_page, walk
from ..records import LinkRecord


class Links:
    """
    The links of one partner, named by partner key, ``part_…`` key or e-mail address.

    That this list takes the parameters of the others is not documented, so none is sent unless it is given.
    """

    def __init__(self, api: Api) -> None:
        self._api = api

    def list(self, identifier: str, **filters: Any) -> Page[LinkRecord]:
        """The first page of the partner's links."""
        path = f"/links/partnership/{segment('identifier', identifier)}"
        return self._api.call("GET", path, lambda data: read_page(LinkRecord, data), params=query(filters))

    def iterate(self, identifier: str, **filters: Any) -> Iterator[LinkRecord]:
        """All links of the partner; raises ``RecordError`` when it comes to one that is none."""
        segment("identifier", identifier)
        pages = walk(lambda cursor: self.list(identifier, starting_after=cursor, **filters), None)
        return (record for page in pages for record in page)
