from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from django_partnerstack.models import SyncState

from ..conftest import html_of, list_url, page_url


def test_a_sync_in_progress_shows_its_checkpoint(browser: Client) -> None:
    state = SyncState.objects.create(
        mode="test", resource="customers", checkpoint={"full": True, "cursor": "cus_7"}
    )
    html = browser.get(page_url(state)).rendered_content
    assert "&quot;cursor&quot;: &quot;cus_7&quot;" in html
    assert ">full sync<" in browser.get(list_url(SyncState)).rendered_content


@pytest.mark.parametrize(("until", "owner"), [("2000-01-01T00:00Z", "-"), ("2999-01-01T00:00Z", "web-1")])
def test_a_lock_is_shown_until_it_expires(browser: Client, until: str, owner: str) -> None:
    columns = {"lease_owner": "web-1", "lease_expires_at": until}
    state = SyncState.objects.create(mode="test", resource="customers", **columns)
    shown = re.search(
        r'field-locked_by">.*?<div class="readonly">(.*?)</div>', html_of(browser, state), re.DOTALL
    )
    assert shown is not None
    assert shown[1] == owner


def test_a_mirror_of_seconds_ago_is_less_than_a_minute_old(browser: Client) -> None:
    SyncState.objects.create(mode="test", resource="customers", completed_at=timezone.now())
    assert "less than a minute ago" in browser.get(list_url(SyncState)).rendered_content


def test_the_list_shows_how_old_the_mirror_is_and_what_the_last_run_did(browser: Client) -> None:
    completed_at = timezone.now() - timedelta(minutes=7)
    ran = {"duration": timedelta(seconds=2.5), "read": 1000, "changed": 3}
    SyncState.objects.create(mode="test", resource="customers", completed_at=completed_at, **ran)
    SyncState.objects.create(mode="test", resource="deals", error="GET /deals: 500")
    html = browser.get(list_url(SyncState)).rendered_content
    assert "7\xa0minutes ago" in html
    assert "2.5 s, 1000 read, 3 changed" in html
    assert "never" in html
    assert "GET /deals: 500" in html
