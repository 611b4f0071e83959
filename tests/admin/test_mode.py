"""What our pages say about the mode."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from django_partnerstack.models import Group, OutboxConnection, OutboxMessage, State, SyncState
from django_partnerstack.outbox import Trouble, trouble

from .conftest import list_url, page_url, queue

TEST_MODE = "PartnerStack runs in test mode"


@pytest.fixture(params=["/admin/partnerstack/", "list", "page"])
def page(request: Any, db: None) -> str:
    row = Group.objects.create(mode="production", key="k")
    return {"list": list_url(Group), "page": page_url(row)}.get(request.param, request.param)


def test_test_mode_is_told_on_every_page(browser: Client, page: str) -> None:
    assert TEST_MODE in browser.get(page).rendered_content


def test_production_mode_is_nothing_to_tell(browser: Client, page: str, settings: Any) -> None:
    settings.PARTNERSTACK_MODE = "production"
    html = browser.get(page).rendered_content
    assert TEST_MODE not in html
    assert "messagelist" not in html


@pytest.mark.parametrize(("declared", "seen"), [("production", "test"), ("test", "production")])
def test_keys_of_the_other_mode_are_an_error_on_every_page(
    browser: Client, page: str, settings: Any, declared: str, seen: str
) -> None:
    settings.PARTNERSTACK_MODE = declared
    SyncState.objects.create(mode=declared, resource="customers", **{f"{seen}_seen_at": timezone.now()})
    html = browser.get(page).rendered_content
    assert f"The settings say {declared} mode, but all data that came back is {seen} data." in html


def test_a_line_that_is_closed_is_told_on_every_page(browser: Client, page: str) -> None:
    until = timezone.now() + timedelta(minutes=5)
    OutboxConnection.objects.create(
        mode="test", closed_until=until, closed_reason="POST /customers: 401 <No>"
    )
    html = browser.get(page).rendered_content
    assert f"Nothing leaves for PartnerStack before {until:%H:%M:%S}: POST /customers: 401 &lt;No&gt;" in html


def test_messages_that_need_a_person_are_told_on_every_page(browser: Client, page: str) -> None:
    OutboxConnection.objects.create(mode="test")
    for state in (State.DEAD, State.DEAD, State.HELD, State.READY):
        queue(state)
    queue(State.DEAD, mode="production")
    html = browser.get(page).rendered_content
    assert "Messages that need a person: 2 dead, 1 held." in html
    assert f'href="{list_url(OutboxMessage)}?mode=test&amp;stuck=yes"' in html


def test_what_is_wrong_takes_one_query(db: None, django_assert_num_queries: Any) -> None:
    OutboxConnection.objects.create(mode="test", closed_until=timezone.now() - timedelta(minutes=5))
    queue(State.HELD)
    with django_assert_num_queries(1):
        assert trouble("test") == Trouble(closed_until=None, closed_because="", dead=0, held=1)


def test_who_may_not_see_messages_gets_no_link_to_them(staff: Callable[..., Client]) -> None:
    OutboxConnection.objects.create(mode="test", closed_until=timezone.now() + timedelta(minutes=5))
    queue(State.DEAD)
    html = staff("view_group").get(list_url(Group)).rendered_content
    assert "Messages that need a person: 1 dead, 0 held." in html
    assert "partnerstack/outbox" not in html


def test_pages_of_other_apps_say_nothing(admin_client: Client) -> None:
    assert TEST_MODE not in admin_client.get("/admin/auth/user/").rendered_content


def test_no_page_shows_a_key(browser: Client, page: str, settings: Any) -> None:
    settings.PARTNERSTACK_PUBLIC_KEY, settings.PARTNERSTACK_SECRET_KEY = "pk_canary_1", "sk_canary_1"
    assert "canary" not in browser.get(page).rendered_content
