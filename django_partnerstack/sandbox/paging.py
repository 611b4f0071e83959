"""
Lists: newest first, by cursor, 1 to 250 objects a page.

docs.partnerstack.com/docs/partner-api; the filters are those of the vendor's list pages.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

from .collection import BY, Place, Row
from .replies import Refusal
from .resource import Predicate, Resource
from .world import Call

DEFAULT_LIMIT, MAXIMUM_LIMIT = 10, 250
#: One of that many rows or less is few.
FEW = 50
PAGING = {"limit", "starting_after", "ending_before", "order_by"}


class EmptyPage(Exception):
    """The cursor is gone and nothing follows it."""


def page(call: Call, resource: Resource) -> dict[str, Any]:
    """The ``data`` of a list answer."""
    limit = _limit(call)
    _refuse_unknown_parameters(call, resource)
    order, descending = _order(call, resource)
    tests = list(_tests(call, resource))
    try:
        rows = _walk(call, resource, order, descending)
    except EmptyPage:
        rows = iter(())
    found = list(islice((row for row in rows if all(test(row) for test in tests)), limit + 1))
    items = found[:limit]
    if "ending_before" in call.query:
        items.reverse()
    data = {
        "has_more": len(found) > limit,
        "items": [resource.render(call.world, row, call.behaviour) for row in items],
    }
    return data | _total(call, resource)


def _limit(call: Call) -> int:
    limit = _number(call, "limit", DEFAULT_LIMIT)
    if limit < 1:
        raise Refusal(400, f"{limit} is less than the minimum of 1")
    if limit > MAXIMUM_LIMIT and call.behaviour.limit_above_maximum == "400":
        raise Refusal(400, f"{limit} is greater than the maximum of {MAXIMUM_LIMIT}")
    return min(limit, MAXIMUM_LIMIT)


def _number(call: Call, name: str, default: int) -> int:
    value = call.query.get(name, [str(default)])[0]
    try:
        return int(value)
    except ValueError:
        raise Refusal(400, f"{value!r} is not of type 'integer'") from None


def _refuse_unknown_parameters(call: Call, resource: Resource) -> None:
    bounds = {f"{side}_{name}" for side in ("min", "max") for name in resource.bounds}
    unknown = sorted(set(call.query) - PAGING - bounds - set(resource.filters))
    if unknown and call.behaviour.unknown_parameters == "reject":
        raise Refusal(400, f"Additional properties are not allowed ({unknown[0]!r} was unexpected)")


def _order(call: Call, resource: Resource) -> tuple[str, bool]:
    """The field to go by, and whether from the newest to the oldest."""
    by_update = call.behaviour.order_under_updated == "updated_at" and "updated" in resource.bounds
    default = "-updated_at" if by_update and _is_bounded(call, "updated") else "-created_at"
    order = call.query.get("order_by", [default])[0]
    if order not in resource.orders:
        raise Refusal(400, f"{order!r} is not one of {list(resource.orders)!r}")
    return order.lstrip("-"), order.startswith("-")


def _bounds(call: Call, name: str) -> tuple[int, int]:
    """The half-open range of milliseconds that ``min_…`` and ``max_…`` of a timestamp leave."""
    excluded = 0 if call.behaviour.inclusive_bounds else 1
    low = _number(call, f"min_{name}", -(2**62)) + excluded
    high = _number(call, f"max_{name}", 2**62) + 1 - excluded
    return low, high


def _tests(call: Call, resource: Resource) -> Iterable[Predicate]:
    """What a row must pass to be listed, apart from its place in time."""
    archived_too = "include_archived" in resource.filters and call.query.get("include_archived") == ["true"]
    if not (call.behaviour.archived_listed or archived_too):
        yield lambda row: not row.get("archived")
    if resource.listed:
        yield resource.listed(call)
    if call.behaviour.read_lag:
        yield call.is_visible
    for name, make in resource.filters.items():
        if name in call.query:
            yield make(call.world, call.query[name])


def _walk(call: Call, resource: Resource, order: str, descending: bool) -> Iterable[Row]:
    """Rows within the bounds, in the order asked for, from the cursor on (or from it backwards)."""
    if "starting_after" in call.query and "ending_before" in call.query:
        raise Refusal(400, "starting_after and ending_before cannot be used together")
    backwards = "ending_before" in call.query
    place = _cursor(call, resource, order, "ending_before" if backwards else "starting_after")
    falling = descending is not backwards
    low, high = _bounds(call, order.removesuffix("_at"))
    rows, test = _candidates(call, resource, order)
    first, last = (bisect_left(rows, (moment, 0), key=BY[order]) for moment in (low, high))
    if place and falling:
        last = min(last, bisect_left(rows, place, key=BY[order]))
    elif place:
        first = max(first, bisect_right(rows, place, key=BY[order]))
    span = range(first, last)
    found = (rows[index] for index in (reversed(span) if falling else span))
    return filter(test, found) if test else found


def _candidates(call: Call, resource: Resource, order: str) -> tuple[Sequence[Row], Predicate | None]:
    """
    Rows in an order that hold all within the bounds on the other timestamp, and the test for the bounds.

    Where few are within them, those few are sorted, so that nobody has to look for them among all; where
    many are, a page is soon full.
    """
    collection = call.world[resource.name]
    rows = collection.orders[order]
    other = [name for name in resource.bounds if f"{name}_at" != order and _is_bounded(call, name)]
    if not other:
        return rows, None
    field, (low, high) = f"{other[0]}_at", _bounds(call, other[0])
    first, last = collection.position(field, (low, 0)), collection.position(field, (high, 0))
    if (last - first) * FEW < len(rows):
        return sorted(collection.orders[field][first:last], key=BY[order]), None
    return rows, lambda row: bool(low <= row[field] < high)


def _is_bounded(call: Call, name: str) -> bool:
    return f"min_{name}" in call.query or f"max_{name}" in call.query


def _cursor(call: Call, resource: Resource, order: str, name: str) -> Place | None:
    collection = call.world[resource.name]
    if name not in call.query:
        return None
    key = call.query[name][0]
    gone = call.behaviour.deleted_cursor
    row = collection.find("key", key) or (collection.gone.get(key) if gone == "works" else None)
    if row is not None:
        return BY[order](row)
    if gone == "empty":
        raise EmptyPage
    if gone == "first_page":
        return None
    raise Refusal(400 if gone == "400" else 404, f"No object found for {name} '{key}'")


def _total(call: Call, resource: Resource) -> dict[str, int | None]:
    """``total``, as a number only where nothing narrows the list, so that no page has to count."""
    mode = call.behaviour.total
    if mode == "never" or (mode == "as_seen" and not resource.has_total):
        return {}
    if mode == "null" or set(call.query) - PAGING:
        return {"total": None}
    collection = call.world[resource.name]
    return {"total": len(collection) - (0 if call.behaviour.archived_listed else collection.archived)}
