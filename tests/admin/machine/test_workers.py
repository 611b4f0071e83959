from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from django_partnerstack.models import Worker

from ..conftest import html_of, list_url


@pytest.mark.parametrize(
    ("seconds", "stopped", "state", "seen"),
    [
        (5, False, "running", "seen 5 seconds ago"),
        (1, False, "running", "seen 1 second ago"),
        (90, False, "not running", "seen 90 seconds ago"),
        (600, False, "not running", "seen 10\xa0minutes ago"),
        (5, True, "stopped", "seen 5 seconds ago"),
    ],
)
def test_the_list_says_whether_a_worker_runs_and_when_it_was_seen(
    browser: Client, monkeypatch: pytest.MonkeyPatch, seconds: int, stopped: bool, state: str, seen: str
) -> None:
    now = timezone.now()
    # A slow machine shows the page seconds later.
    monkeypatch.setattr(timezone, "now", lambda: now)
    at = now - timedelta(seconds=seconds)
    Worker.objects.create(
        mode="test",
        host="web-1",
        pid=7,
        seen_at=at,
        stopped_at=at if stopped else None,
        jobs={"sync": "working"},
    )
    html = browser.get(list_url(Worker)).rendered_content
    assert f">{state}</span>" in html
    assert f"<div>{seen}</div>" in html
    assert ("<div>sync: working</div>" in html) is not stopped
    assert "web-1:7" in html


def test_the_page_shows_no_keys(browser: Client, settings: object) -> None:
    settings.PARTNERSTACK_SECRET_KEY = "sk_secret_1"  # type: ignore[attr-defined]
    row = Worker.objects.create(mode="test", jobs={"sync": "failed, trying again: sk_secret_1"})
    assert "sk_secret_1" not in html_of(browser, row)
