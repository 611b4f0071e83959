"""The banner on the pages of this app: test mode, wrong keys, paused delivery, failed messages."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from django.utils.timezone import localtime

from django_partnerstack.models import Group, OutboxMessage, State, SyncState, ThrottleState
from tests.admin.conftest import list_url, page_url, queue

TEST_MODE = "PartnerStack runs in test mode"


@pytest.fixture(params=["/admin/partnerstack/", "list", "page"])
def page(request: Any, db: None) -> str:
    row = Group.objects.create(mode="production", key="k")
    return {"list": list_url(Group), "page": page_url(row)}.get(request.param, request.param)


def test_every_page_shows_test_mode(browser: Client, page: str) -> None:
    assert TEST_MODE in browser.get(page).rendered_content


def test_production_mode_is_not_mentioned(browser: Client, page: str, settings: Any) -> None:
    settings.PARTNERSTACK_MODE = "production"
    html = browser.get(page).rendered_content
    assert TEST_MODE not in html
    assert "messagelist" not in html


@pytest.mark.parametrize(("declared", "seen"), [("production", "test"), ("test", "production")])
def test_every_page_shows_keys_of_the_other_mode_as_an_error(
    browser: Client, page: str, settings: Any, declared: str, seen: str
) -> None:
    settings.PARTNERSTACK_MODE = declared
    SyncState.objects.create(mode=declared, resource="customers", **{f"{seen}_seen_at": timezone.now()})
    html = browser.get(page).rendered_content
    assert f"PARTNERSTACK_MODE is {declared}, but PartnerStack returns {seen} data." in html


def test_every_page_shows_until_when_and_why_delivery_is_paused(
    browser: Client, page: str, settings: Any
) -> None:
    settings.PARTNERSTACK_PUBLIC_KEY, settings.PARTNERSTACK_SECRET_KEY = "pk_1", "sk_1"
    until = timezone.now() + timedelta(minutes=5)
    ThrottleState.objects.create(mode="test", paused_until=until, pause_reason="POST /customers: 401 <No>")
    html = browser.get(page).rendered_content
    assert (
        f"Delivery is paused until {localtime(until):%Y-%m-%d %H:%M %Z}: POST /customers: 401 &lt;No&gt;"
        in html
    )


def test_every_page_counts_messages_that_need_attention(browser: Client, page: str) -> None:
    ThrottleState.objects.create(mode="test")
    for state in (State.FAILED, State.FAILED, State.ON_HOLD, State.SCHEDULED):
        queue(state)
    queue(State.FAILED, mode="production")
    html = browser.get(page).rendered_content
    assert "2 messages failed." in html
    assert "1 message is on hold." in html
    assert "Read the reason in the admin, correct the cause, and retry or cancel the message." in html
    assert f'href="{list_url(OutboxMessage)}?mode=test&amp;state__exact=dead"' in html


def test_links_need_the_permission_to_see_their_pages(staff: Callable[..., Client]) -> None:
    ThrottleState.objects.create(mode="test", paused_until=timezone.now() + timedelta(minutes=5))
    queue(State.FAILED)
    html = staff("view_group").get(list_url(Group)).rendered_content
    assert "1 message failed." in html
    assert "partnerstack/outbox" not in html


def test_pages_of_other_apps_have_no_banner(admin_client: Client) -> None:
    assert TEST_MODE not in admin_client.get("/admin/auth/user/").rendered_content


def test_no_page_shows_a_key(browser: Client, page: str, settings: Any) -> None:
    settings.PARTNERSTACK_PUBLIC_KEY, settings.PARTNERSTACK_SECRET_KEY = "pk_canary_1", "sk_canary_1"
    assert "canary" not in browser.get(page).rendered_content


def test_every_page_counts_messages_that_wait_for_their_customer(browser: Client, page: str) -> None:
    ThrottleState.objects.create(mode="test")
    queue(State.WAITING)
    queue(State.WAITING, mode="production")
    html = browser.get(page).rendered_content
    assert "1 customer was never reported, so its payments wait." in html
    assert f'href="{list_url(OutboxMessage)}?mode=test&amp;state__exact=waiting"' in html
