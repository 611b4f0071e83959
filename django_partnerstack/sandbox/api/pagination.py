"""
Lists: newest first, by cursor, 1 to 250 objects a page.

docs.partnerstack.com/docs/partner-api; the filters are those of the vendor's list pages.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Any

from ..replies import Refusal
from .call import Call
from .ordering import EmptyPage, integer_parameter, rows_from_cursor
from .resource import Predicate, Resource

DEFAULT_LIMIT, MAXIMUM_LIMIT = 10, 250
PAGING = {"limit", "starting_after", "ending_before", "order_by"}


def page(call: Call, resource: Resource) -> dict[str, Any]:
    """One page of a list: ``items``, ``has_more``, and ``total`` where the list has it."""
    limit = _limit(call)
    known = parameters_of(resource)
    tests = list(_tests(call, resource))
    try:
        check_parameters(call, known)
        rows = rows_from_cursor(call, resource)
    except EmptyPage:
        rows = iter(())
    found = list(islice((row for row in rows if all(test(row) for test in tests)), limit + 1))
    items = found[:limit]
    if "ending_before" in call.query:
        items.reverse()
    rendered = [resource.show(call.db, row, call.behaviour) for row in items]
    return {"has_more": len(found) > limit, "items": rendered, **_total(call, resource)}


def _limit(call: Call) -> int:
    limit = integer_parameter(call, "limit", DEFAULT_LIMIT)
    if limit < 1:
        raise Refusal(400, f"{limit} is less than the minimum of 1")
    if limit > MAXIMUM_LIMIT and call.behaviour.limit_above_maximum == "400":
        raise Refusal(400, f"{limit} is greater than the maximum of {MAXIMUM_LIMIT}")
    return min(limit, MAXIMUM_LIMIT)


def parameters_of(resource: Resource) -> set[str]:
    """All query parameters that a list has."""
    bounds = {f"{side}_{name}" for side in ("min", "max") for name in resource.bounds}
    return PAGING | bounds | set(resource.filters)


def check_parameters(call: Call, known: set[str]) -> None:
    """Raise Refusal or EmptyPage for an unknown parameter: nobody gets objects that a filter excludes."""
    unknown = sorted(set(call.query) - known)
    if unknown and call.behaviour.unknown_parameters == "empty":
        raise EmptyPage
    if unknown:
        raise Refusal(400, f"Additional properties are not allowed ({unknown[0]!r} was unexpected)")


def _tests(call: Call, resource: Resource) -> Iterable[Predicate]:
    """The tests that a listed row must pass, in addition to the time bounds."""
    archived_too = "include_archived" in resource.filters and call.query.get("include_archived") == ["true"]
    if not (call.behaviour.archived_listed or archived_too):
        yield lambda row: not row.get("archived")
    if resource.default_filter:
        yield resource.default_filter(call)
    if call.db[resource.name].readable_at > call.now:
        yield call.is_visible
    for name, make in resource.filters.items():
        if name in call.query:
            yield make(call.db, call.query[name])


def _total(call: Call, resource: Resource) -> dict[str, int | None]:
    """``total``, as a number for unfiltered lists only, so that no page has to count matching rows."""
    mode = call.behaviour.total
    if mode == "never" or (mode == "as_seen" and not resource.has_total):
        return {}
    if mode == "null" or set(call.query) - PAGING:
        return {"total": None}
    table, archived_too = call.db[resource.name], call.behaviour.archived_listed
    if table.readable_at > call.now:
        rows = filter(call.is_visible, table.orders["created_at"])
        return {"total": sum(archived_too or not row.get("archived") for row in rows)}
    return {"total": len(table) - (0 if archived_too else table.archived_count)}
