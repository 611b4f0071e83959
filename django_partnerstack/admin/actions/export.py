"""Export of a list as CSV: the selected rows by an action, or all rows of the filtered list by a link."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ...client.money import exponent
from ...conf import conf
from ...insight.spreadsheet import BOM, lines
from ...models.fields import JSONTextField
from ..display.read_only import permission_to

if TYPE_CHECKING:
    Base = admin.ModelAdmin
else:
    Base = object

#: Rows that are read with one query.
CHUNK = 2000

#: What only this app can use.
INTERNAL = {"dedupe_key", "fingerprint", "lease_owner", "lease_token", "digest", "salt"}

#: The column that is added after amounts.
MAJOR_UNITS = "amount_in_major_units"


class ExportAction(Base):
    """For lists. Needs the permission ``export_…`` besides that to view the list."""

    has_export_permission = permission_to("export")

    def __init__(self, model: type[models.Model], admin_site: admin.AdminSite) -> None:
        super().__init__(model, admin_site)
        self.actions = (*(self.actions or ()), export_selected)

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_export"
        view = self.admin_site.admin_view(self.export_view)
        return [path("export/", view, name=name), *super().get_urls()]

    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        """All rows of the list with these filters."""
        if not (self.has_view_permission(request) and self.has_export_permission(request)):
            raise PermissionDenied
        try:
            rows = self.get_changelist_instance(request).queryset
        except IncorrectLookupParameters:
            return redirect("../?e=1")
        return as_csv(rows)


@admin.action(description=_("Export selected as CSV"), permissions=["export"])
def export_selected(model_admin: Any, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponseBase:
    return as_csv(queryset)


def as_csv(rows: QuerySet[Any]) -> StreamingHttpResponse:
    """The rows as a download, which takes constant memory. UTF-8 with a BOM, which Excel needs."""
    return download(f"{rows.model._meta.model_name}-{timezone.localdate()}", _table(rows))


def download(name: str, rows: Iterable[Iterable[Any]]) -> StreamingHttpResponse:
    """Rows as a file in CSV."""
    headers = {
        "Content-Disposition": f'attachment; filename="partnerstack-{name}.csv"',
        "Cache-Control": "no-store",
    }
    content = (line.encode() for line in _with_bom(lines(rows)))
    return StreamingHttpResponse(content, content_type="text/csv; charset=utf-8", headers=headers)


def _with_bom(content: Iterator[str]) -> Iterator[str]:
    yield BOM
    yield from content


def _table(rows: QuerySet[Any]) -> Iterator[list[Any]]:
    names = columns(rows.model)
    has_amount = {"amount", "currency"} <= set(names)
    yield [*names, *([MAJOR_UNITS] if has_amount else [])]
    for row in _in_chunks(rows, names):
        values = [conf.without_keys(value) if isinstance(value, str) else value for value in row]
        if has_amount:
            values.append(_major_units(*(row[names.index(name)] for name in ("amount", "currency"))))
        yield values


def _in_chunks(rows: QuerySet[Any], names: list[str]) -> Iterator[tuple[Any, ...]]:
    """By primary key, because MariaDB's driver reads whole results into memory."""
    rows, last = rows.order_by("pk"), 0
    while chunk := list(rows.filter(pk__gt=last).values_list("pk", *names)[:CHUNK]):
        last = chunk[-1][0]
        yield from (row[1:] for row in chunk)


def columns(model: type[models.Model]) -> list[str]:
    """The columns of a model, without JSON and without what only this app can use."""
    json = (models.JSONField, JSONTextField)
    fields = (field for field in model._meta.concrete_fields if not isinstance(field, json))
    return [field.attname for field in fields if field.name not in INTERNAL]


def _major_units(amount: int | None, currency: str) -> Decimal | None:
    return None if amount is None else Decimal(amount).scaleb(-exponent(currency))
