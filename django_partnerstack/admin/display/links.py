"""
Links between objects that refer to each other by key.

Mirrors have no foreign keys, so the other object is looked up by its key, among the rows of the same mode.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.apps import apps
from django.contrib import admin
from django.contrib.admin.utils import quote
from django.db.models import Model, OuterRef, Subquery
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.text import capfirst

from ...models import Mirror
from .columns import EMPTY


class Link:
    """
    A column that links to the row of ``model`` whose ``target`` equals ``column`` of this row.

    Shows the ``label`` of that row, or only the key if there is no such row. The queryset needs
    ``annotations()``, so that a list takes no further queries.
    """

    def __init__(self, description: Any, column: str, model: type[Mirror], target: str, label: str) -> None:
        self.short_description = description
        self.admin_order_field = self.column = column
        self.model, self.target, self.label = model, target, label
        self.__name__ = f"{column}_link"

    def annotations(self) -> dict[str, Subquery]:
        same = {"mode": OuterRef("mode"), self.target: OuterRef(self.column)}
        found = self.model._default_manager.filter(**same).order_by("-pk")
        return {
            f"{self.__name__}_pk": Subquery(found.values("pk")[:1]),
            f"{self.__name__}_label": Subquery(found.values(self.label)[:1]),
        }

    def __call__(self, row: Any) -> str:
        key = getattr(row, self.column)
        pk = getattr(row, f"{self.__name__}_pk")
        if not key or pk is None:
            return key or EMPTY
        label = getattr(row, f"{self.__name__}_label") or key
        return format_html('<a href="{}">{}</a>', admin_url(self.model, "change", pk), label)


@dataclass(frozen=True)
class Related:
    """The rows of ``model`` whose ``target`` equals ``column`` of this row."""

    model: type[Mirror]
    target: str
    column: str = "key"

    def link(self, row: Any) -> str:
        """A link to the list of these rows, with their number. Takes one query."""
        which = {"mode": row.mode, self.target: getattr(row, self.column)}
        count = self.model._default_manager.filter(**which).count() if which[self.target] else 0
        name = capfirst(self.model._meta.verbose_name_plural)
        if not count:
            return format_html("{}: 0", name)
        return format_html(
            '<a href="{}?{}">{}: {}</a>', admin_url(self.model, "changelist"), urlencode(which), name, count
        )


def admin_url(model: type[Model], page: str, *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def list_of(
    request: HttpRequest, model: type[Model], page: str = "changelist", *args: Any, **query: str
) -> str:
    """
    The address of a page in the admin site of the request, filtered; empty if that site has no such page.
    """
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}"
    try:
        url = reverse(name, args=args, current_app=getattr(request, "current_app", None))
    except NoReverseMatch:
        return ""
    return f"{url}?{urlencode(query)}" if query else url


def host_link(label: str, pk: str, site: admin.AdminSite) -> str:
    """A link to an object of the host, by "app.model" and primary key; only its name if it has no page."""
    if not label:
        return EMPTY
    text = f"{label} {pk}"
    try:
        model = apps.get_model(label)
    except LookupError:
        return text
    if not site.is_registered(model):
        return text
    page = f"{site.name}:{model._meta.app_label}_{model._meta.model_name}_change"
    return format_html('<a href="{}">{}</a>', reverse(page, args=[quote(pk)]), text)
