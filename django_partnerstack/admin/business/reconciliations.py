"""The results of ``partnerstack_reconcile``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar
from urllib.parse import urlencode

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from ...conf import conf
from ...insight.reconciliation.kinds import KINDS, NO_DIFFERENCE
from ...models import Customer, OutboxMessage, ReconciliationRun, Transaction
from ..actions.export import ExportAction
from ..display.columns import in_major_units
from ..display.filters import ModeFilter, mode_column
from ..display.links import admin_url, host_link
from ..display.read_only import ReadOnlyAdmin


@admin.register(ReconciliationRun)
class ReconciliationRunAdmin(ExportAction, ReadOnlyAdmin):
    list_filter = (ModeFilter,)
    fieldsets: ClassVar[Any] = ((None, {"fields": ("started_at", "took", "since", "mode", "outcome")}),)

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        return ("started_at", "outcome", "took", "since", *mode_column(request))

    @admin.display(description=gettext_lazy("result"), ordering="differences")
    def outcome(self, run: ReconciliationRun) -> str:
        if not run.differences:
            return _("The books agree.")
        text = ngettext("{number} difference", "{number} differences", run.differences)
        return text.format(number=f"{run.differences:,}")

    @admin.display(description=gettext_lazy("duration"))
    def took(self, run: ReconciliationRun) -> str:
        seconds = (run.finished_at - run.started_at).total_seconds()
        return timesince(run.started_at, run.finished_at) if seconds >= 60 else f"{seconds:.1f} s"

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        run = self.get_object(request, object_id)
        found = {"kinds": list(self._kinds(request, run)), "same": _same(run)} if run is not None else {}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **found})

    def _kinds(self, request: HttpRequest, run: ReconciliationRun) -> Iterator[dict[str, Any]]:
        """The differences as the page shows them. A kind of an older version is left out."""
        for code, tally in run.result.get("differences", {}).items():
            if (kind := KINDS.get(code)) is None:
                continue
            link = kind.link if kind.link and request.user.has_perm(kind.link.permission) else None
            yield {
                "code": code,
                "kind": kind,
                "url": link.url(self.admin_site.name) if link else "",
                "payments": tally["payments"],
                "customers": tally["customers"],
                "here": _sums(tally["here"]),
                "there": _sums(tally["there"]),
                "examples": [self._example(request, run, example) for example in tally["examples"]],
                "more": tally["count"] - len(tally["examples"]),
            }

    def _example(
        self, request: HttpRequest, run: ReconciliationRun, example: dict[str, Any]
    ) -> dict[str, Any]:
        mirror = Transaction if example["is_payment"] else Customer
        source, pk = example["source"], example["source_pk"]
        found = {
            "key": example["key"],
            "detail": conf.without_keys(example["detail"]),
            "here": in_major_units(*example["here"]) if example["here"] else "",
            "there": in_major_units(*example["there"]) if example["there"] else "",
            "source": host_link(source, pk, self.admin_site) if source else "",
        }
        if example["mirror_pk"] and request.user.has_perm(f"partnerstack.view_{mirror._meta.model_name}"):
            found["mirror"] = admin_url(mirror, "change", example["mirror_pk"])
        if source and request.user.has_perm("partnerstack.view_outboxmessage"):
            query = urlencode({"mode": run.mode, "source": source, "source_pk": pk})
            found["messages"] = f"{admin_url(OutboxMessage, 'changelist')}?{query}"
        return found


def _sums(sums: dict[str, int]) -> list[str]:
    return [in_major_units(amount, currency) for currency, amount in sorted(sums.items())]


def _same(run: ReconciliationRun) -> list[dict[str, Any]]:
    """What is no difference: how many payments and customers, by reason."""
    same = run.result.get("same", {})
    payments, customers = same.get("payments", {}), same.get("customers", {})
    return [
        {"reason": name, "payments": payments.get(code, 0), "customers": customers.get(code, 0)}
        for code, name in NO_DIFFERENCE.items()
        if code in payments or code in customers
    ]
