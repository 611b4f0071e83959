"""The lists of mirrored objects."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from django_partnerstack.models import (
    Customer,
    Group,
    Mirror,
    Partnership,
    Reward,
    SyncState,
    Transaction,
)

from .conftest import MIRRORS, list_url

each_model = pytest.mark.parametrize("model", [*MIRRORS, SyncState], ids=lambda model: model.__name__)
each_mirror = pytest.mark.parametrize("model", MIRRORS, ids=lambda model: model.__name__)

#: What in a page a strict Content-Security-Policy would refuse.
INLINE = re.compile(r"<style|<script(?![^>]*\ssrc=)|\sstyle=|\son[a-z]+=")


def shown(browser: Client, url: str, **query: str) -> list[str]:
    """The rows that a list shows."""
    return [str(row) for row in browser.get(url, query).context["cl"].result_list]


def queries(browser: Client, url: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert browser.get(url).status_code == 200
    return len(captured)


@each_model
def test_every_list_opens_with_nothing_in_it(browser: Client, model: type[Mirror]) -> None:
    assert browser.get(list_url(model)).status_code == 200


@each_model
def test_nobody_sees_a_list_without_permission(staff: Any, model: type[Mirror]) -> None:
    assert staff().get(list_url(model)).status_code == 403


@each_model
def test_a_superuser_can_change_nothing(admin_client: Client, model: type[Mirror]) -> None:
    field = "mode" if model is SyncState else "key"
    row = model.objects.create(mode="test", **({} if model is SyncState else {"key": "k"}))
    url = list_url(model)
    answers = [
        admin_client.post(f"{url}add/", {field: "x"}),
        admin_client.post(f"{url}{row.pk}/change/", {field: "x"}),
        admin_client.post(f"{url}{row.pk}/delete/", {"post": "yes"}),
    ]
    admin_client.post(url, {"action": "delete_selected", "_selected_action": row.pk, "post": "yes"})
    assert [answer.status_code for answer in answers] == [403, 403, 403]
    assert list(model.objects.values_list("pk", field)) == [(row.pk, getattr(row, field))]


@each_mirror
def test_a_list_takes_as_many_queries_for_fifty_rows_as_for_two(browser: Client, model: type[Mirror]) -> None:
    def add(count: int) -> None:
        when, start = datetime(2024, 5, 17, tzinfo=timezone.utc), model.objects.count()
        keys = {name: "k0" for name in ("customer_key", "partnership_key") if hasattr(model, name)}
        rows = (model(mode="test", key=f"k{start + i}", remote_created_at=when, **keys) for i in range(count))
        model.objects.bulk_create(rows)

    Partnership.objects.get_or_create(mode="test", key="k0")
    Customer.objects.get_or_create(mode="test", key="k0")
    add(1 if model in (Partnership, Customer) else 2)
    few = queries(browser, list_url(model))
    add(48)
    assert queries(browser, list_url(model)) == few <= 12


@pytest.mark.django_db
class TestModes:
    def test_a_list_begins_with_the_mode_that_the_site_runs_in(self, browser: Client, settings: Any) -> None:
        Group.objects.create(mode="test", key="a")
        Group.objects.create(mode="production", key="b")
        settings.PARTNERSTACK_MODE = "production"
        assert shown(browser, list_url(Group)) == ["b"]

    @pytest.mark.parametrize(("mode", "rows"), [("test", ["a"]), ("production", ["b"]), ("all", ["b", "a"])])
    def test_the_other_mode_and_both_can_be_asked_for(
        self, browser: Client, mode: str, rows: list[str]
    ) -> None:
        Group.objects.create(mode="test", key="a")
        Group.objects.create(mode="production", key="b")
        assert shown(browser, list_url(Group), mode=mode) == rows

    def test_the_mode_is_a_column_where_both_are_shown(self, browser: Client) -> None:
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


def test_rewards_can_be_filtered_by_status(browser: Client) -> None:
    Reward.objects.create(mode="test", key="a", reward_status="paid")
    Reward.objects.create(mode="test", key="b", reward_status="hold")
    assert shown(browser, list_url(Reward), reward_status="hold") == ["b"]


@pytest.mark.parametrize("words", ["cus_1", "account-1", "ADA@", "Lovelace", "pi_1", "grace"])
def test_customers_are_found_by_keys_e_mail_and_name(browser: Client, words: str) -> None:
    known = {
        "email": "ada@example.com",
        "name": "Ada Lovelace",
        "provider_key": "pi_1",
        "partner_key": "grace",
    }
    Customer.objects.create(mode="test", key="cus_1", customer_key="account-1", **known)
    Customer.objects.create(mode="test", key="x")
    assert shown(browser, list_url(Customer), q=words) == ["account-1"]


@each_mirror
def test_every_list_can_be_searched(browser: Client, model: type[Mirror]) -> None:
    model.objects.create(mode="test", key="wanted")
    model.objects.create(mode="test", key="other")
    assert shown(browser, list_url(model), q="wanted") == ["wanted"]


def test_a_date_narrows_a_list(browser: Client) -> None:
    for year in (2023, 2024):
        Group.objects.create(
            mode="test", key=str(year), remote_created_at=datetime(year, 5, 1, tzinfo=timezone.utc)
        )
    assert shown(browser, list_url(Group), remote_created_at__year="2023") == ["2023"]


@each_model
def test_no_list_needs_inline_scripts_or_styles(browser: Client, model: type[Mirror]) -> None:
    model.objects.create(mode="test", **({} if model is SyncState else {"key": "k"}))
    assert not INLINE.findall(browser.get(list_url(model)).rendered_content)


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        (4900, "USD", "49.00 USD"),
        (-123456789, "EUR", "-1,234,567.89 EUR"),
        (500, "JPY", "500 JPY"),
        (5, "KWD", "0.005 KWD"),
    ],
)
def test_money_is_shown_in_major_units(browser: Client, amount: int, currency: str, text: str) -> None:
    Transaction.objects.create(mode="test", key="t", amount=amount, currency=currency)
    assert f">{text}<" in browser.get(list_url(Transaction)).rendered_content


def test_no_amount_is_shown_as_none(browser: Client) -> None:
    Transaction.objects.create(mode="test", key="t", amount=None, currency="USD")
    assert '<td class="field-amount">-</td>' in browser.get(list_url(Transaction)).rendered_content
