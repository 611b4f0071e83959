from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _

from ...conf import conf
from ...models import SourceFailure
from ..actions.report_again import report_again
from ..actions.selection import NonAtomicActions
from ..display.filters import ModeFilter, mode_column
from ..display.links import host_link
from ..display.read_only import LongListAdmin, permission_to


@admin.register(SourceFailure)
class SourceFailureAdmin(NonAtomicActions, LongListAdmin):
    """Objects that could not be reported."""

    list_display_links = ("what",)
    list_filter = (ModeFilter, "operation", "source")
    search_fields = ("source", "source_pk", "error")
    search_help_text = _("By model, primary key of the site's object, or error.")
    sortable_by = ("times", "first_failed_at", "last_failed_at")
    fields = (
        "what",
        "site_object",
        "operation",
        "full_error",
        "times",
        "first_failed_at",
        "last_failed_at",
        "mode",
    )
    actions = (report_again,)

    has_report_permission = permission_to("report")

    def get_list_display(self, request: HttpRequest) -> tuple[Any, ...]:
        columns = ("what", "short_error", "site_object", "times", "last_failed_at", "first_failed_at")
        return (*columns, *mode_column(request))

    @admin.display(description=_("source error"))
    def what(self, failure: SourceFailure) -> str:
        return f"{failure.source} {failure.source_pk}"

    @admin.display(description=_("object"))
    def site_object(self, failure: SourceFailure) -> str:
        """A link to the site's object."""
        return host_link(failure.source, failure.source_pk, self.admin_site)

    @admin.display(description=_("error"))
    def short_error(self, failure: SourceFailure) -> str:
        return Truncator(conf.without_keys(failure.error)).chars(120)

    @admin.display(description=_("error"))
    def full_error(self, failure: SourceFailure) -> str:
        return conf.without_keys(failure.error)
