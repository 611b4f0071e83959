from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import ClassVar

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from ...conf import conf
from ...models import State, Worker
from ...models.worker import ALIVE
from ..actions.export import ExportAction
from ..display.columns import EMPTY, stacked
from ..display.filters import ModeFilter, mode_column
from ..display.read_only import ReadOnlyAdmin

#: In the colours of the states of messages.
PILL = '<span class="partnerstack-state partnerstack-{}">{}</span>'


@admin.register(Worker)
class WorkerAdmin(ExportAction, ReadOnlyAdmin):
    list_filter = (ModeFilter,)
    fields = ("host", "pid", "mode", "version", "status", "does", "started_at", "seen_at", "stopped_at")
    ordering: ClassVar[tuple[str, ...]] = ("-seen_at",)

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        return ("__str__", "status", "does_in_short", "started_at", "version", *mode_column(request))

    @admin.display(description=gettext_lazy("state"), ordering="seen_at")
    def status(self, worker: Worker) -> SafeString:
        seconds = max(0, round((timezone.now() - worker.seen_at).total_seconds()))
        if worker.stopped_at is not None:
            pill = format_html(PILL, State.CANCELLED, _("stopped"))
        elif seconds < ALIVE.total_seconds():
            pill = format_html(PILL, State.DELIVERED, _("running"))
        else:
            pill = format_html(PILL, State.FAILED, _("not running"))
        return stacked(pill, _("seen {time} ago").format(time=span(seconds)))

    @admin.display(description=gettext_lazy("jobs"))
    def does(self, worker: Worker) -> SafeString:
        """What each job does, or did when the worker was last seen."""
        return stacked(*lines(worker))

    @admin.display(description=gettext_lazy("jobs"))
    def does_in_short(self, worker: Worker) -> str:
        """The beginning of it, for the list; nothing once the worker has stopped."""
        if worker.stopped_at is not None:
            return EMPTY
        return stacked(*(Truncator(line).chars(60) for line in lines(worker)))


def lines(worker: Worker) -> Iterator[str]:
    return (conf.without_keys(f"{name}: {text}") for name, text in worker.jobs.items())


def span(seconds: int) -> str:
    """In seconds for two minutes, then in the largest unit."""
    if seconds < 120:
        return ngettext("{number} second", "{number} seconds", seconds).format(number=seconds)
    return timesince(timezone.now() - timedelta(seconds=seconds), depth=1)
