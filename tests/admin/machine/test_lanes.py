from __future__ import annotations

from django.test import Client

from django_partnerstack.models import OutboxLane

from ..conftest import list_url, page_url, queue


def test_a_lane_shows_its_messages(browser: Client) -> None:
    lane = OutboxLane.objects.create(mode="test", key="customer:account-1", status="open")
    message = queue()
    html = browser.get(page_url(lane)).rendered_content
    assert f'href="{page_url(message)}"' in html
    assert "?mode=test&amp;lane=customer%3Aaccount-1" in browser.get(list_url(OutboxLane)).rendered_content
