from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest
from django.test import Client

from django_partnerstack.admin.display import totals
from django_partnerstack.admin.display.read_only import BoundedPaginator
from django_partnerstack.models import Customer, Partnership, Reward, Transaction

from ..conftest import list_url

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def payments() -> None:
    Partnership.objects.create(mode="test", key="part_1", partner_key="ada")
    Customer.objects.create(mode="test", key="cus_1", partnership_key="part_1")
    rows = [("a", 4900, "USD"), ("b", 100, "USD"), ("c", 500, "JPY"), ("d", None, "USD")]
    for key, amount, currency in rows:
        Transaction.objects.create(
            mode="test", key=key, amount=amount, currency=currency, customer_key="cus_1"
        )
    Transaction.objects.create(mode="test", key="gone", amount=7, currency="USD", archived=True)
    Transaction.objects.create(mode="test", key="other", amount=1, currency="USD", customer_key="cus_2")
    Transaction.objects.create(mode="production", key="p", amount=10**6, currency="USD")


def total(browser: Client, **query: str) -> str:
    html = browser.get(list_url(Transaction), query).rendered_content
    found = html.split('<p class="partnerstack-totals">')[1].split("</p>")[0]
    return " ".join(found.replace("<strong>", "").replace("</strong>", "").split())


def test_a_list_shows_its_total_in_each_currency(browser: Client) -> None:
    assert total(browser) == (
        "Total: 500 JPY (1), 50.01 USD (4). 1 row that PartnerStack no longer has is not counted."
    )


def test_the_total_is_of_the_filtered_rows(browser: Client) -> None:
    assert total(browser, partner="ada") == "Total: 500 JPY (1), 50.00 USD (3)"
    assert (
        total(browser, state="archived") == "Total: 0. 1 row that PartnerStack no longer has is not counted."
    )


def test_rewards_have_a_total_too(browser: Client) -> None:
    Reward.objects.create(mode="test", key="r", amount=490, currency="USD", reward_status="paid")
    html = browser.get(list_url(Reward), {"reward_status": "paid"}).rendered_content
    assert "<strong>4.90 USD</strong> (1)" in html


def test_a_list_that_is_too_long_asks_for_a_filter(browser: Client, monkeypatch: Any) -> None:
    monkeypatch.setattr(BoundedPaginator, "MOST", 2)
    monkeypatch.setattr(totals, "SUMMED", 3)
    assert total(browser) == "More than 3 rows: filter the list to see its total."
    assert total(browser, state="archived").startswith("Total: 0.")


class TestDates:
    @pytest.fixture(autouse=True)
    def dates(self) -> None:
        Transaction.objects.filter(key="a").update(
            remote_created_at=datetime(2023, 5, 17, tzinfo=timezone.utc)
        )
        Transaction.objects.filter(key="b").update(
            remote_created_at=datetime(2025, 1, 2, tzinfo=timezone.utc)
        )

    def links(self, browser: Client, **query: str) -> list[str]:
        page = browser.get(list_url(Transaction), query)
        return [each["title"] for each in page.context["cl"].dates["choices"]]

    def test_begin_with_the_years_from_the_first_to_the_last_row(self, browser: Client) -> None:
        assert self.links(browser) == ["2023", "2024", "2025"]

    def test_lead_to_months_and_days(self, browser: Client) -> None:
        year = {"remote_created_at__year": "2023"}
        assert self.links(browser, **year)[4] == "May 2023"
        month = {**year, "remote_created_at__month": "5"}
        assert len(self.links(browser, **month)) == 31
        day = {**month, "remote_created_at__day": "17"}
        page = browser.get(list_url(Transaction), day)
        assert [str(row) for row in page.context["cl"].result_list] == ["a"]
        assert page.context["cl"].dates["back"]["title"] == "May 2023"

    def test_keep_the_other_filters(self, browser: Client) -> None:
        page = browser.get(list_url(Transaction), {"partner": "ada"})
        assert "partner=ada" in page.context["cl"].dates["choices"][0]["link"]

    @pytest.mark.parametrize("year", ["x", "99999", "0"])
    def test_a_wrong_date_is_not_an_error(self, browser: Client, year: str) -> None:
        page = browser.get(list_url(Transaction), {"remote_created_at__year": year}, follow=True)
        assert page.status_code == 200
