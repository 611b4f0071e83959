"""The way through a list: its order, its bounds in time, and the cursor to go on from."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence

from .collection import BY, Place, Row
from .replies import Refusal
from .resource import Predicate, Resource
from .world import Call

#: One of that many rows or less is few.
FEW = 50


class EmptyPage(Exception):
    """The cursor is gone and nothing follows it."""


def walk(call: Call, resource: Resource) -> Iterable[Row]:
    """Rows within the bounds, in the order asked for, from the cursor on (or from it backwards)."""
    order, descending = _order(call, resource)
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
    low = number(call, f"min_{name}", -(2**62)) + excluded
    high = number(call, f"max_{name}", 2**62) + 1 - excluded
    return low, high


def _is_bounded(call: Call, name: str) -> bool:
    return f"min_{name}" in call.query or f"max_{name}" in call.query


def number(call: Call, name: str, default: int) -> int:
    """A query parameter that is a whole number; raises Refusal if it is none."""
    value = call.query.get(name, [str(default)])[0]
    try:
        return int(value)
    except ValueError:
        raise Refusal(400, f"{value!r} is not of type 'integer'") from None


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
