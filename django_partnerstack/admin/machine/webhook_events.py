from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from ...conf import conf
from ...models import WebhookEvent, WebhookState
from ...webhooks.normalise import EVENTS, RESOURCE_OF
from ...webhooks.queue import process_again
from ...webhooks.reading import find_row
from ...webhooks.status import status
from ..actions.endpoints import endpoints_view
from ..actions.export import ExportAction
from ..actions.selection import NonAtomicActions
from ..display.columns import EMPTY, json_column, stacked, time_since, time_until
from ..display.filters import ModeFilter, mode_column
from ..display.links import admin_url
from ..display.message_table import badge
from ..display.read_only import LongListAdmin, permission_to


class EventFilter(admin.SimpleListFilter):
    """Offers the events that PartnerStack delivers, without a query for those that were received."""

    title = gettext_lazy("event")
    parameter_name = "event"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        chosen = request.GET.get(self.parameter_name, "")
        return [(name, name) for name in dict.fromkeys((*EVENTS, *filter(None, [chosen])))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(event=self.value()) if self.value() else queryset


class KindFilter(admin.SimpleListFilter):
    title = gettext_lazy("kind")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(kind, kind) for kind in RESOURCE_OF]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(kind=self.value()) if self.value() else queryset


@admin.register(WebhookEvent)
class WebhookEventAdmin(ExportAction, NonAtomicActions, LongListAdmin):
    list_filter = (ModeFilter, "state", EventFilter, KindFilter, "last_received_at")
    search_fields = ("key", "body")
    search_help_text = gettext_lazy("By key or e-mail address, or any other text of the body.")
    sortable_by = ("received",)
    actions = ("replay",)

    has_replay_permission = permission_to("replay")
    has_endpoints_permission = permission_to("endpoints")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(partial(endpoints_view, self))
        return [path("endpoints/", view, name="partnerstack_webhookevent_endpoints"), *super().get_urls()]

    @transaction.non_atomic_requests
    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        context = {"status": status(conf.mode), **(extra_context or {})}
        return super().changelist_view(request, context)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        context["buttons"] = self.get_action_choices(request, default_choices=[])
        return super().render_change_form(request, context, *args, **kwargs)

    def get_list_display(self, request: HttpRequest) -> tuple[Any, ...]:
        return ("__str__", "progress", "why", "received", *mode_column(request))

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        received = ["event_received", "first_received_at", "last_received_at", "times_received"]
        return [
            (None, {"fields": ["event", "kind", "key", "row", badge, "full_reason", "attempts", "mode"]}),
            (_("Received"), {"fields": [*received, "due_at", "done_at"]}),
            (_("Body"), {"fields": [json_column("body", _("body"))]}),
        ]

    @admin.display(description=gettext_lazy("state"))
    def progress(self, event: WebhookEvent) -> SafeString:
        """The state, the number of attempts and the time of the next."""
        lines: list[str] = [badge(event)]
        if event.state == WebhookState.RECEIVED and event.attempts:
            text = ngettext("{number} attempt", "{number} attempts", event.attempts)
            lines.append(text.format(number=event.attempts))
        if event.due_at and event.due_at > timezone.now():
            lines.append(_("next attempt in {time}").format(time=time_until(event.due_at)))
        return stacked(*lines)

    @admin.display(description=gettext_lazy("reason"))
    def why(self, event: WebhookEvent) -> str:
        """The beginning of the reason, for the list."""
        return Truncator(conf.without_keys(event.reason)).chars(90)

    @admin.display(description=gettext_lazy("reason"))
    def full_reason(self, event: WebhookEvent) -> str:
        return conf.without_keys(event.reason) or EMPTY

    @admin.display(description=gettext_lazy("received"), ordering="last_received_at")
    def received(self, event: WebhookEvent) -> SafeString:
        times = _("{number} times").format(number=event.times_received) if event.times_received > 1 else EMPTY
        ago = _("{time} ago").format(time=time_since(event.last_received_at))
        return stacked(ago, times)

    @admin.display(description=gettext_lazy("object"))
    def row(self, event: WebhookEvent) -> str:
        """A link to the object in the mirror."""
        row = find_row(event, event.mode) if event.kind else None
        if row is None:
            return EMPTY
        return format_html('<a href="{}">{}</a>', admin_url(type(row), "change", row.pk), row)

    @admin.action(description=gettext_lazy("Process again"), permissions=["replay"])
    def replay(self, request: HttpRequest, queryset: QuerySet[WebhookEvent]) -> None:
        chosen = queryset.filter(mode=conf.mode)
        others = queryset.exclude(mode=conf.mode).count()
        number = process_again(chosen, now=timezone.now())
        text = ngettext(
            "The worker processes {number} event again.",
            "The worker processes {number} events again.",
            number,
        )
        level = messages.SUCCESS if number else messages.ERROR
        self.message_user(request, text.format(number=number), level)
        if others:
            text = _("{number} not changed: the site runs in {mode} mode.")
            self.message_user(request, text.format(number=others, mode=conf.mode), messages.WARNING)
