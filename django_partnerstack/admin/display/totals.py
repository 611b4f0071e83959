"""The sums of a filtered list, for each currency. They are never added across currencies."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, Q, Sum

from .columns import in_major_units

#: The most rows that are added up. Longer lists have to be filtered first.
SUMMED = 100_000

#: As in the report: what PartnerStack has.
PRESENT = Q(archived=False, missing_since=None)


def totals(changelist: Any) -> dict[str, Any]:
    """``sums``: texts, of the rows that PartnerStack has. ``is_long``: the list is too long to add up."""
    rows = changelist.queryset.order_by()
    if changelist.paginator.is_cut and rows.values("pk")[: SUMMED + 1].count() > SUMMED:
        return {"is_long": True, "most": SUMMED}
    columns = {"sum": Sum("amount", filter=PRESENT), "present": Count("pk", filter=PRESENT)}
    found = rows.values_list("currency").annotate(**columns, gone=Count("pk", filter=~PRESENT))
    by_currency = sorted(found)
    sums = [(in_major_units(int(sum_ or 0), code), number) for code, sum_, number, _ in by_currency if number]
    return {"sums": sums, "gone": sum(gone for *_, gone in by_currency)}
