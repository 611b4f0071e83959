"""The front page of the admin has one line of this app, as soon as something needs attention."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.db import connection
from django.template import engines
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import include, path
from django.utils import timezone

from django_partnerstack.admin.machine.messages import OutboxMessageAdmin
from django_partnerstack.models import OutboxLane, OutboxMessage, State, SyncState, Worker
from tests.admin.conftest import queue

INDEX = "/admin/"

own_site = admin.AdminSite(name="back_office")
own_site.register(OutboxMessage, OutboxMessageAdmin)
urlpatterns = [path("back-office/", own_site.urls), path("", include("tests.urls"))]


def lines(browser: Client, url: str = INDEX) -> list[str]:
    """The messages of a page, as HTML."""
    html = browser.get(url).rendered_content
    return re.findall(r'<li class="(?:error|warning|info)">(PartnerStack: .*?)</li>', html, re.DOTALL)


def test_a_healthy_site_has_no_line(browser: Client) -> None:
    queue(State.DELIVERED)
    assert lines(browser) == []


def test_the_most_urgent_finding_is_shown_with_a_link_to_the_others(browser: Client) -> None:
    SyncState.objects.create(mode="test", resource="customers", production_seen_at=timezone.now())
    queue(State.FAILED)
    assert lines(browser) == [
        "PartnerStack: PARTNERSTACK_MODE is test, but PartnerStack returns production data. "
        'And 1 more. <a href="/admin/partnerstack/">What to do</a>'
    ]
    assert '<li class="error">PartnerStack' in browser.get(INDEX).rendered_content


def test_it_is_shown_at_each_visit_and_on_no_other_page(browser: Client) -> None:
    queue(State.FAILED)
    assert len(lines(browser)) == len(lines(browser)) == 1
    for url in ("/admin/partnerstack/outboxmessage/", "/admin/partnerstack/", "/admin/password_change/"):
        assert lines(browser, url) == []


def test_what_is_only_worth_knowing_is_not_shown(browser: Client) -> None:
    # Messages are delivered, and nothing was ever synced.
    queue(State.DELIVERED)
    assert lines(browser) == []


def test_users_without_a_permission_of_this_app_see_nothing(staff: Callable[..., Client]) -> None:
    queue(State.FAILED)
    assert lines(staff()) == []


def test_any_permission_of_this_app_suffices(staff: Callable[..., Client]) -> None:
    queue(State.FAILED)
    assert len(lines(staff("view_group"))) == 1


@pytest.mark.urls(__name__)
def test_a_sites_own_admin_site_shows_it_with_its_own_link(browser: Client) -> None:
    queue(State.FAILED)
    [line] = lines(browser, "/back-office/")
    assert '<a href="/back-office/partnerstack/">' in line


def test_a_sites_own_template_of_the_front_page_stays_in_charge(
    browser: Client, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    template = engines["django"].from_string(
        '{% extends "admin/base_site.html" %}{% block content %}Our own page{% endblock %}'
    )
    monkeypatch.setattr(admin.site, "index_template", template)
    queue(State.FAILED)
    assert len(lines(browser)) == 1
    assert "Our own page" in browser.get(INDEX).rendered_content


def test_it_costs_a_dozen_queries_at_most(browser: Client) -> None:
    queue(State.FAILED)
    with CaptureQueriesContext(connection) as captured:
        browser.get(INDEX)
    ours = [query for query in captured.captured_queries if "partnerstack_" in query["sql"]]
    assert 1 <= len(ours) <= 12


@pytest.fixture
def without_a_table(transactional_db: None) -> Iterator[None]:
    with connection.schema_editor() as schema:
        schema.alter_db_table(Worker, "partnerstack_worker", "hidden_worker")
    yield
    with connection.schema_editor() as schema:
        schema.alter_db_table(Worker, "hidden_worker", "partnerstack_worker")


def test_missing_tables_do_not_break_the_admin(without_a_table: None, admin_client: Client) -> None:
    assert "The tables of this app are missing or outdated." in lines(admin_client)[0]
    assert "migrate partnerstack" in admin_client.get("/admin/partnerstack/").rendered_content


def test_a_line_has_no_inline_code_and_escapes_what_it_shows(browser: Client) -> None:
    OutboxLane.objects.create(mode="test", key="customer:a", due_at=timezone.now() - timedelta(hours=2))
    SyncState.objects.create(
        mode="test", resource="deals", failed_at=timezone.now(), error="GET /deals: <script>alert(1)</script>"
    )
    html = browser.get(INDEX).rendered_content
    assert "<script>alert(1)" not in html
