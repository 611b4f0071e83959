from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from django_partnerstack.insight.status import health
from django_partnerstack.models import (
    Attribution,
    ForgottenCustomer,
    OutboxMessage,
    ReconciliationRun,
    SourceFailure,
    State,
    WebhookEvent,
)
from django_partnerstack.outbox.queue.new_message import fingerprint
from django_partnerstack.resources import RESOURCES
from django_partnerstack.sandbox import TEST_KEYS, Sandbox

#: The models of this app with pages in the admin.
REGISTERED = [model for model in admin.site._registry if model._meta.app_label == "partnerstack"]

MESSAGE_ACTIONS = ("retry", "hold", "release", "cancel", "mark_delivered")

ASSIGN = "/admin/partnerstack/attribution/assign/"

#: What a strict Content-Security-Policy refuses.
INLINE = re.compile(r"<style|<script(?![^>]*\ssrc=)|\sstyle=|\son[a-z]+=")

MIRRORS = [resource.model for resource in RESOURCES.values()]


@pytest.fixture
def staff(db: None) -> Callable[..., Client]:
    """Logs in a user with these permissions of this app and no others."""

    def log_in(*codenames: str) -> Client:
        user = User.objects.create_user("staff", is_staff=True)
        granted = Permission.objects.filter(content_type__app_label="partnerstack", codename__in=codenames)
        assert granted.count() == len(codenames)
        user.user_permissions.set(granted)
        browser = Client()
        browser.force_login(user)
        return browser

    return log_in


@pytest.fixture
def browser(staff: Callable[..., Client]) -> Client:
    """A user who may see all pages of this app, and do nothing."""
    return staff(*(f"view_{model._meta.model_name}" for model in REGISTERED))


@pytest.fixture
def partnerstack(settings: Any) -> Iterator[Sandbox]:
    """A sandbox over HTTP, and a site with its keys."""
    sandbox = Sandbox()
    settings.PARTNERSTACK_PUBLIC_KEY, settings.PARTNERSTACK_SECRET_KEY = TEST_KEYS
    settings.PARTNERSTACK_READ_TIMEOUT = 2
    with sandbox.serve() as server:
        settings.PARTNERSTACK_API_URL = f"{server.url}/api/v2"
        yield sandbox


def queue(
    state: State = State.DELIVERED, operation: str = "customers.update", **columns: Any
) -> OutboxMessage:
    """A message of one customer."""
    payload = columns.setdefault("payload", {"customer_key": "shop-account-1"})
    given = {"mode": "test", "lane": "customer:shop-account-1", "subject": "shop-account-1", **columns}
    given.setdefault("queued_at", timezone.now())
    return OutboxMessage.objects.create(
        state=state, operation=operation, fingerprint=fingerprint(payload), **given
    )


def take(browser: Client, action: str, *rows: Model, query: str = "", **form: Any) -> list[tuple[int, str]]:
    """Takes an action on these rows. Returns the levels and texts that the page then shows."""
    form |= {"action": action, "index": 0, "_selected_action": [row.pk for row in rows]}
    return shown_messages(browser.post(f"{list_url(type(rows[0]))}{query}", form, follow=True))


def shown_messages(page: Any) -> list[tuple[int, str]]:
    return [(message.level, message.message) for message in page.context["messages"]]


def shown(browser: Client, url: str, **query: str) -> list[str]:
    """The rows that a list shows."""
    return [str(row) for row in browser.get(url, query).context["cl"].result_list]


def queries(browser: Client, url: str) -> int:
    """The queries of a page, without those of the banner with the status, which every page has."""
    with CaptureQueriesContext(connection) as of_banner:
        health()
    with CaptureQueriesContext(connection) as captured:
        assert browser.get(url).status_code == 200
    return len(captured) - len(of_banner)


def list_url(model: type[Model]) -> str:
    return f"/admin/{model._meta.app_label}/{model._meta.model_name}/"


def page_url(row: Model) -> str:
    return f"{list_url(type(row))}{row.pk}/change/"


def row_of(model: type[Model]) -> Any:
    """A row with as few columns as possible."""
    if model is OutboxMessage:
        return queue()
    moments = {
        Attribution: ("bound_at",),
        ForgottenCustomer: ("forgotten_at",),
        ReconciliationRun: ("started_at", "finished_at"),
        SourceFailure: ("first_failed_at", "last_failed_at"),
        WebhookEvent: ("window", "first_received_at", "last_received_at"),
    }
    columns: dict[str, Any] = dict.fromkeys(moments.get(model, ()), timezone.now())
    if any(field.name == "key" for field in model._meta.fields):
        columns["key"] = "k"
    return model._default_manager.create(mode="test", **columns)


def attribution(customer_key: str = "shop-account-1", **columns: Any) -> Attribution:
    columns.setdefault("bound_at", timezone.now())
    return Attribution.objects.create(mode="test", customer_key=customer_key, **columns)


def html_of(browser: Client, row: Model) -> str:
    """The page of one row."""
    return browser.get(page_url(row)).rendered_content
