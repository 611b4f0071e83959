"""What our pages say about the mode."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from django_partnerstack.models import Group, SyncState

from .conftest import list_url, page_url

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


def test_pages_of_other_apps_say_nothing(admin_client: Client) -> None:
    assert TEST_MODE not in admin_client.get("/admin/auth/user/").rendered_content


def test_no_page_shows_a_key(browser: Client, page: str, settings: Any) -> None:
    settings.PARTNERSTACK_PUBLIC_KEY, settings.PARTNERSTACK_SECRET_KEY = "pk_canary_1", "sk_canary_1"
    assert "canary" not in browser.get(page).rendered_content
