from __future__ import annotations

from functools import cached_property
from typing import Any

from django.contrib.admin.views.main import ORDER_VAR, PAGE_VAR, ChangeList
from django.http import HttpRequest

from .dates import hierarchy
from .totals import totals


class BoundedChangeList(ChangeList):
    """A list whose dates and totals take a bounded time, with a link to export all of its rows."""

    def __init__(self, request: HttpRequest, *args: Any) -> None:
        super().__init__(request, *args)
        may_export = getattr(self.model_admin, "has_export_permission", None)
        self.may_export = bool(may_export and may_export(request))

    @property
    def export_url(self) -> str:
        """The address, from that of the list, of all rows with these filters."""
        return f"export/{self.get_query_string(remove=[PAGE_VAR, ORDER_VAR])}"

    @cached_property
    def dates(self) -> dict[str, Any]:
        return hierarchy(self) if self.date_hierarchy else {}

    @cached_property
    def totals(self) -> dict[str, Any]:
        """Empty for a list without amounts in a currency."""
        return totals(self) if getattr(self.model_admin, "has_totals", False) else {}
