"""The order of a list, its time bounds, and the cursor that it continues from."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence

from ..replies import Refusal
from ..storage.table import SORT_KEYS, Position, Row
from .call import Call
from .resource import Predicate, Resource

#: Few rows: fewer than one in this many.
FEW = 50


class EmptyPage(Exception):
    """The list has no objects: the cursor's object was removed, or a parameter is unknown."""


def rows_from_cursor(call: Call, resource: Resource) -> Iterable[Row]:
    """Rows within the time bounds, in the requested order, from the cursor on (or backwards from it)."""
    order, descending = _order(call, resource)
    if "starting_after" in call.query and "ending_before" in call.query:
        raise Refusal(400, "starting_after and ending_before cannot be used together")
    backwards = "ending_before" in call.query
    cursor = _cursor(call, resource, order, "ending_before" if backwards else "starting_after")
    falling = descending is not backwards
    low, high = _bounds(call, order.removesuffix("_at"))
    rows, test = _candidates(call, resource, order)
    first, last = (bisect_left(rows, (moment, 0), key=SORT_KEYS[order]) for moment in (low, high))
    if cursor and falling:
        last = min(last, bisect_left(rows, cursor, key=SORT_KEYS[order]))
    elif cursor:
        first = max(first, bisect_right(rows, cursor, key=SORT_KEYS[order]))
    span = range(first, last)
    found = (rows[index] for index in (reversed(span) if falling else span))
    return filter(test, found) if test else found


def _candidates(call: Call, resource: Resource, order: str) -> tuple[Sequence[Row], Predicate | None]:
    """
    Rows in an order, and a test for the bounds on the other timestamp unless all rows pass it.

    If few rows are within those bounds, sorting these is faster than testing all rows. If many are, the test
    soon finds enough for a page.
    """
    table = call.db[resource.name]
    rows = table.orders[order]
    other = [name for name in resource.bounds if f"{name}_at" != order and _is_bounded(call, name)]
    if not other:
        return rows, None
    field, (low, high) = f"{other[0]}_at", _bounds(call, other[0])
    first, last = table.count_before(field, (low, 0)), table.count_before(field, (high, 0))
    if (last - first) * FEW < len(rows):
        return sorted(table.orders[field][first:last], key=SORT_KEYS[order]), None
    return rows, lambda row: bool(low <= row[field] < high)


def _order(call: Call, resource: Resource) -> tuple[str, bool]:
    """The timestamp that sorts the list, and whether the newest comes first."""
    by_update = call.behaviour.order_under_updated == "updated_at" and "updated" in resource.bounds
    default = "-updated_at" if by_update and _is_bounded(call, "updated") else "-created_at"
    order = call.query.get("order_by", [default])[0]
    if order not in resource.orders:
        raise Refusal(400, f"{order!r} is not one of {list(resource.orders)!r}")
    return order.lstrip("-"), order.startswith("-")


def _bounds(call: Call, name: str) -> tuple[int, int]:
    """The half-open range of milliseconds that ``min_…`` and ``max_…`` of a timestamp allow."""
    excluded = 0 if call.behaviour.inclusive_bounds else 1
    low = integer_parameter(call, f"min_{name}", -(2**62)) + excluded
    high = integer_parameter(call, f"max_{name}", 2**62) + 1 - excluded
    return low, high


def _is_bounded(call: Call, name: str) -> bool:
    return f"min_{name}" in call.query or f"max_{name}" in call.query


def integer_parameter(call: Call, name: str, default: int) -> int:
    """An integer in the query. Raises Refusal if the value is not an integer."""
    value = call.query.get(name, [str(default)])[0]
    try:
        return int(value)
    except ValueError:
        raise Refusal(400, f"{value!r} is not of type 'integer'") from None


def _cursor(call: Call, resource: Resource, order: str, name: str) -> Position | None:
    table = call.db[resource.name]
    if name not in call.query:
        return None
    key = call.query[name][0]
    answer = call.behaviour.deleted_cursor
    row = table.find("key", key) or (table.removed.get(key) if answer == "works" else None)
    if row is not None:
        return SORT_KEYS[order](row)
    if answer == "empty":
        raise EmptyPage
    if answer == "first_page":
        return None
    raise Refusal(400 if answer == "400" else 404, f"No object found for {name} '{key}'")
