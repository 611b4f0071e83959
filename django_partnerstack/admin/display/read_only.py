from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.contrib.auth import get_permission_codename
from django.core.paginator import Paginator
from django.http import HttpRequest
from django.utils.functional import cached_property

from .changelist import BoundedChangeList
from .front_page import add_banner


class ReadOnlyAdmin(admin.ModelAdmin):
    """Read-only pages: nobody can add, change or delete a row."""

    show_full_result_count = False

    class Media:
        css = {"all": ["partnerstack/admin.css"]}

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[BoundedChangeList]:
        return BoundedChangeList

    def get_model_perms(self, request: HttpRequest) -> dict[str, bool]:
        """Django calls this with the request of each page that lists the models, such as the front page."""
        add_banner(request, self.admin_site)
        return super().get_model_perms(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class BoundedPaginator(Paginator):
    """Counts at most ``MOST`` rows, so that a list of any length opens quickly."""

    MOST = 10_000

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return rows.order_by().values("pk")[: self.MOST].count()

    def page(self, number: Any) -> Any:
        """A later page is found by primary keys first: no links are looked up for the rows before it."""
        number = self.validate_number(number)
        start, rows = (number - 1) * self.per_page, self.object_list
        if start:
            keys = list(rows.values_list("pk", flat=True)[start : start + self.per_page])  # type: ignore[attr-defined]
            return self._get_page(rows.filter(pk__in=keys), number, self)  # type: ignore[attr-defined]
        return super().page(number)

    @property
    def is_cut(self) -> bool:
        return self.count == self.MOST


class LongListAdmin(ReadOnlyAdmin):
    """A read-only list that may have millions of rows."""

    list_per_page = 100
    paginator = BoundedPaginator


def permission_to(verb: str) -> Callable[[Any, HttpRequest], bool]:
    """A ``has_…_permission`` method: whether the user has the permission of this verb for the model."""

    def has_permission(model_admin: Any, request: HttpRequest) -> bool:
        opts = model_admin.opts
        return request.user.has_perm(f"{opts.app_label}.{get_permission_codename(verb, opts)}")

    return has_permission
