from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from .columns import as_received, created, state
from .filters import ALL, ModeFilter, StateFilter
from .links import Link, Related
from .readonly import ReadOnlyAdmin


class MirrorAdmin(ReadOnlyAdmin):
    """What the pages of all mirrors have in common. A subclass says which columns matter."""

    #: Columns of its own, for the list and for the page of one object.
    columns: ClassVar[tuple[Any, ...]] = ()
    #: Columns of its own that only the page of one object shows.
    details: ClassVar[tuple[Any, ...]] = ()
    #: Where other objects name this one by key.
    related: ClassVar[tuple[Related, ...]] = ()
    #: Filters of its own.
    filters: ClassVar[tuple[Any, ...]] = ()

    date_hierarchy = "remote_created_at"
    list_per_page = 100
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        links = (column for column in (*self.columns, *self.details) if isinstance(column, Link))
        annotations = {name: found for link in links for name, found in link.annotations().items()}
        return super().get_queryset(request).annotate(**annotations)

    def get_list_display(self, request: HttpRequest) -> tuple[Any, ...]:
        mode = ("mode",) if request.GET.get(ModeFilter.parameter_name) == ALL else ()
        return (*self.columns, created, state, *mode)

    def get_list_filter(self, request: HttpRequest) -> tuple[Any, ...]:
        return (ModeFilter, *self.filters, StateFilter)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        at_partnerstack = ("key", "mode", "remote_created_at", "remote_updated_at", state)
        here = ("missing_since", "synced_at")
        related = ["related_objects"] if self.related else []
        return [
            (None, {"fields": [*self.columns, *self.details, *related]}),
            (_("At PartnerStack"), {"fields": [*at_partnerstack, *here]}),
            (_("As received"), {"fields": [as_received]}),
        ]

    @admin.display(description=_("related"))
    def related_objects(self, row: Any) -> SafeString:
        return format_html_join("", "<div>{}</div>", ((related.link(row),) for related in self.related))
