"""Lanes and the connection."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.messages import SUCCESS, WARNING
from django.db import transaction
from django.test import Client
from django.urls import resolve
from django.utils import timezone

from django_partnerstack.models import OutboxLane, ThrottleState

from .conftest import list_url, page_url, queue, take
from .test_lists import INLINE


def closed(**columns: Any) -> ThrottleState:
    until = timezone.now() + timedelta(minutes=5)
    return ThrottleState.objects.create(
        mode="test", paused_until=until, pause_reason="401 Not allowed", **columns
    )


@pytest.fixture
def clerk(staff: Callable[..., Client]) -> Client:
    return staff("view_throttlestate", "resume_throttlestate")


def test_a_lane_shows_its_messages(browser: Client) -> None:
    lane = OutboxLane.objects.create(mode="test", key="customer:account-1", status="open")
    message = queue()
    html = browser.get(page_url(lane)).rendered_content
    assert f'href="{page_url(message)}"' in html
    assert "?mode=test&amp;lane=customer%3Aaccount-1" in browser.get(list_url(OutboxLane)).rendered_content
    assert not INLINE.findall(html)


def test_a_closed_line_says_until_when_and_why(browser: Client) -> None:
    html = browser.get(page_url(closed())).rendered_content
    assert "401 Not allowed" in html
    assert not INLINE.findall(html)


def test_a_line_that_was_closed_once_is_open(browser: Client) -> None:
    ThrottleState.objects.create(
        mode="test", paused_until=timezone.now() - timedelta(hours=1), pause_reason="Old"
    )
    html = browser.get(list_url(ThrottleState)).rendered_content
    assert '<td class="field-paused">no</td>' in html
    assert "Old" not in html


@pytest.mark.parametrize("half_open", [True, False])
def test_a_person_can_open_the_line_before_its_time(clerk: Client, half_open: bool) -> None:
    connection = closed(half_open=half_open)
    [(level, text)] = take(clerk, "resume", connection)
    assert (level, text.split(".")[0]) == (SUCCESS, "Delivery to PartnerStack (test) is resumed")
    connection.refresh_from_db()
    assert (connection.paused_until, connection.pause_reason) == (None, "")
    assert connection.half_open is half_open


def test_an_open_line_stays_open(clerk: Client) -> None:
    connection = ThrottleState.objects.create(mode="test")
    assert take(clerk, "resume", connection) == [(WARNING, "Delivery to PartnerStack (test) was not paused.")]


def test_to_see_is_not_to_open(browser: Client) -> None:
    connection = closed()
    assert "resume" not in browser.get(list_url(ThrottleState)).rendered_content
    take(browser, "resume", connection)
    connection.refresh_from_db()
    assert connection.paused_until is not None


def test_the_line_is_opened_outside_of_a_transaction() -> None:
    view = resolve(list_url(ThrottleState)).func
    assert view._non_atomic_requests == transaction.non_atomic_requests(lambda: None)._non_atomic_requests


@pytest.mark.parametrize("model", [OutboxLane, ThrottleState])
def test_a_superuser_can_change_nothing(admin_client: Client, model: Any) -> None:
    row = model.objects.create(mode="test")
    answers = [
        admin_client.post(url, {"mode": "production"})
        for url in (f"{list_url(model)}add/", page_url(row), page_url(row).replace("change", "delete"))
    ]
    assert [answer.status_code for answer in answers] == [403, 403, 403]
