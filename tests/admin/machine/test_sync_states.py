from __future__ import annotations

import pytest
from django.test import Client

from django_partnerstack.models import SyncState

from ..conftest import list_url, page_url


def test_a_sync_in_progress_shows_its_checkpoint(browser: Client) -> None:
    state = SyncState.objects.create(
        mode="test", resource="customers", checkpoint={"full": True, "cursor": "cus_7"}
    )
    html = browser.get(page_url(state)).rendered_content
    assert "&quot;cursor&quot;: &quot;cus_7&quot;" in html
    assert ">full sync<" in browser.get(list_url(SyncState)).rendered_content


@pytest.mark.parametrize(("until", "owner"), [("2000-01-01T00:00Z", "-"), ("2999-01-01T00:00Z", "web-1")])
def test_a_lock_is_shown_until_it_expires(browser: Client, until: str, owner: str) -> None:
    SyncState.objects.create(mode="test", resource="customers", lease_owner="web-1", lease_expires_at=until)
    assert f'<td class="field-locked_by">{owner}</td>' in browser.get(list_url(SyncState)).rendered_content
