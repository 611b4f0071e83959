"""Looking up at PartnerStack what an earlier attempt created, by natural key."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ..client import Client
from ..exceptions import NotFound
from ..models import Customer

#: Returned by a look-up if PartnerStack no longer has what the message archives.
GONE = object()

#: How far the clocks of this site and PartnerStack may differ when an object is looked up by time.
CLOCK_SKEW = timedelta(minutes=5)

Content = dict[str, Any]


@dataclass
class Search:
    """
    A look-up of what was created from ``begin`` to ``end``, and how far it has got.

    ``before_request`` is called before each request after the first: it waits for a slot, or raises
    LookUpTimeout if the look-up must stop here. A later search with the same window goes on from ``span`` and
    ``cursor``.
    """

    begin: datetime
    end: datetime
    before_request: Callable[[], None]
    #: The period that is being read: 0 is that of the attempt.
    span: int = 0
    #: The last object that was read in it.
    cursor: str | None = None

    def go_on(self, cursor: str | None, span: int) -> None:
        """Continue after this object of this period, with another request."""
        self.cursor, self.span = cursor, span
        self.before_request()


def find_customer(client: Client, content: Content, search: Search) -> Any:
    try:
        return client.customers.get(content["customer_key"])
    except NotFound:
        return None


def find_archived(client: Client, content: Content, search: Search) -> Any:
    """
    The customer if PartnerStack has archived it, or ``GONE``.

    An answer without the field ``archived`` counts as archived: PartnerStack has accepted the request.
    """
    try:
        record = client.customers.get(content["customer_key"])
    except NotFound:
        return GONE
    shown = record.raw.keys() & {"archived", "is_archived"}
    return None if shown and not record.archived else record


def find_transaction(client: Client, content: Content, search: Search) -> Any:
    """PartnerStack cannot be asked for a transaction by key, so list those of the time of the attempt."""
    spans = [(search.begin, search.end)]
    if when := content.get("created_at"):
        spans.append((datetime.fromisoformat(when), datetime.fromisoformat(when)))
    while True:
        found = _find_between(client, content["key"], *spans[search.span], search)
        if found is not None or search.span + 1 == len(spans):
            return found
        search.go_on(None, search.span + 1)


def _find_between(client: Client, key: str, begin: datetime, end: datetime, search: Search) -> Any:
    pages = client.transactions.pages(
        search.cursor, min_created=begin - CLOCK_SKEW, max_created=end + CLOCK_SKEW
    )
    for page in pages:
        for record in page.records:
            if record.key == key:
                return record
        for error in page.unusable:
            if not isinstance(error.raw, dict) or error.raw.get("key") == key:
                # It may be the wanted record, so "not found" would be wrong.
                raise error
        if page.next_cursor is not None:
            search.go_on(page.next_cursor, search.span)
    return None


def find_action_candidates(client: Client, content: Content, mode: str, search: Search) -> Iterator[Any]:
    """The actions of this type and customer that were created while it was sent."""
    customers = Customer.objects.filter(mode=mode, customer_key=content["target_key"])
    customer = customers.values_list("key", flat=True).first()
    pages = client.actions.pages(
        min_created=search.begin - CLOCK_SKEW,
        max_created=search.end + CLOCK_SKEW,
        action_type=content["type"],
    )
    for page in pages:
        yield from (record for record in page.records if _may_be_action(record, content, customer))
        if page.has_more:
            search.before_request()


def _may_be_action(record: Any, content: Content, customer: str | None) -> bool:
    """PartnerStack does not document how an action names its target, so compare the fields that both have."""
    if record.type != content["type"]:
        return False
    if content.get("external_key") and record.external_key:
        return bool(record.external_key == content["external_key"])
    if target := record.raw.get("target_key"):
        return bool(target == content["target_key"])
    return not customer or not record.customer_key or bool(record.customer_key == customer)
