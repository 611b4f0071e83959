from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest
from django.test import Client

from django_partnerstack.models import Group

from ..conftest import list_url, shown


@pytest.mark.django_db
class TestModes:
    def test_a_list_shows_the_mode_of_the_site_by_default(self, browser: Client, settings: Any) -> None:
        Group.objects.create(mode="test", key="a")
        Group.objects.create(mode="production", key="b")
        settings.PARTNERSTACK_MODE = "production"
        assert shown(browser, list_url(Group)) == ["b"]

    @pytest.mark.parametrize(("mode", "rows"), [("test", ["a"]), ("production", ["b"]), ("all", ["b", "a"])])
    def test_each_mode_and_both_can_be_chosen(self, browser: Client, mode: str, rows: list[str]) -> None:
        Group.objects.create(mode="test", key="a")
        Group.objects.create(mode="production", key="b")
        assert shown(browser, list_url(Group), mode=mode) == rows

    def test_the_mode_is_a_column_if_both_are_shown(self, browser: Client) -> None:
        assert "mode" in browser.get(list_url(Group), {"mode": "all"}).context["cl"].list_display
        assert "mode" not in browser.get(list_url(Group)).context["cl"].list_display

    def test_the_filter_offers_three_choices_and_counts_them(self, browser: Client) -> None:
        Group.objects.create(mode="production", key="b")
        page = browser.get(list_url(Group), {"_facets": "True"}).context["cl"]
        choices = [choice["display"] for choice in page.filter_specs[0].choices(page)]
        assert choices == ["test (0)", "production (1)", "both (1)"]


@pytest.mark.parametrize(("state", "rows"), [("present", ["a"]), ("archived", ["b"]), ("missing", ["c"])])
def test_archived_and_missing_objects_can_be_filtered(browser: Client, state: str, rows: list[str]) -> None:
    Group.objects.create(mode="test", key="a")
    Group.objects.create(mode="test", key="b", archived=True)
    Group.objects.create(mode="test", key="c", missing_since=datetime(2024, 1, 1, tzinfo=timezone.utc))
    assert shown(browser, list_url(Group), state=state) == rows
    assert state in browser.get(list_url(Group), {"state": state}).rendered_content.split("<tbody>")[1]
