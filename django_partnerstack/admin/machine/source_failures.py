from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _

from ...conf import conf
from ...models import SourceFailure
from ..actions.export import ExportAction
from ..actions.report_again import report_again
from ..actions.selection import NonAtomicActions
from ..display.columns import time_since
from ..display.filters import ModeFilter, mode_column
from ..display.links import host_link
from ..display.read_only import LongListAdmin, permission_to


@admin.register(SourceFailure)
class SourceFailureAdmin(ExportAction, NonAtomicActions, LongListAdmin):
    """Objects that could not be reported."""

    # With a button for each action.
    change_form_template = "admin/partnerstack/outboxmessage/change_form.html"
    list_display_links = ("short_error",)
    list_filter = (ModeFilter, "operation", "source")
    search_fields = ("source", "source_pk", "error")
    search_help_text = _("By model, primary key of the site's object, or error.")
    sortable_by = ("times", "failed")
    fields = (
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

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        context["buttons"] = self.get_action_choices(request, default_choices=[])
        return super().render_change_form(request, context, *args, **kwargs)

    def get_list_display(self, request: HttpRequest) -> tuple[Any, ...]:
        return ("short_error", "site_object", "times", "failed", *mode_column(request))

    @admin.display(description=_("object"))
    def site_object(self, failure: SourceFailure) -> str:
        """A link to the site's object."""
        return host_link(failure.source, failure.source_pk, self.admin_site)

    @admin.display(description=_("error"))
    def short_error(self, failure: SourceFailure) -> str:
        return Truncator(conf.without_keys(failure.error)).chars(120)

    @admin.display(description=_("last failed"), ordering="last_failed_at")
    def failed(self, failure: SourceFailure) -> str:
        """For the list."""
        return _("{time} ago").format(time=time_since(failure.last_failed_at))

    @admin.display(description=_("error"))
    def full_error(self, failure: SourceFailure) -> str:
        return conf.without_keys(failure.error)
