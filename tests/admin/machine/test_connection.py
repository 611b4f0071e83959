from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.messages import SUCCESS, WARNING
from django.test import Client
from django.utils import timezone

from django_partnerstack.models import ThrottleState

from ..conftest import list_url, page_url, take


def paused(**columns: Any) -> ThrottleState:
    until = timezone.now() + timedelta(minutes=5)
    return ThrottleState.objects.create(
        mode="test", paused_until=until, pause_reason="401 Not allowed", **columns
    )


@pytest.fixture
def operator(staff: Callable[..., Client]) -> Client:
    return staff("view_throttlestate", "resume_throttlestate")


def test_paused_delivery_shows_until_when_and_why(browser: Client) -> None:
    connection = paused()
    html = browser.get(page_url(connection)).rendered_content
    assert f"{connection.paused_until:%H:%M:%S} UTC" in html
    assert "401 Not allowed" in html


def test_a_pause_that_is_over_is_not_shown(browser: Client) -> None:
    ThrottleState.objects.create(
        mode="test", paused_until=timezone.now() - timedelta(hours=1), pause_reason="Old"
    )
    html = browser.get(list_url(ThrottleState)).rendered_content
    assert '<td class="field-paused">not paused</td>' in html
    assert "Old" not in html


@pytest.mark.parametrize("half_open", [True, False])
def test_an_operator_can_resume_delivery_before_the_pause_ends(operator: Client, half_open: bool) -> None:
    connection = paused(half_open=half_open)
    [(level, text)] = take(operator, "resume", connection)
    assert (level, text.split(".")[0]) == (SUCCESS, "Delivery to PartnerStack (test) is resumed")
    connection.refresh_from_db()
    assert (connection.paused_until, connection.pause_reason) == (None, "")
    assert connection.half_open is half_open


def test_delivery_that_is_not_paused_cannot_be_resumed(operator: Client) -> None:
    connection = ThrottleState.objects.create(mode="test")
    assert take(operator, "resume", connection) == [
        (WARNING, "Delivery to PartnerStack (test) was not paused.")
    ]


def test_resuming_needs_its_own_permission(browser: Client) -> None:
    connection = paused()
    assert "resume" not in browser.get(list_url(ThrottleState)).rendered_content
    take(browser, "resume", connection)
    connection.refresh_from_db()
    assert connection.paused_until is not None
