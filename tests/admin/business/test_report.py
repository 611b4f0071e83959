"""The report of partners in the admin."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import pytest
from django.test import Client

from django_partnerstack.models import Group, Partnership
from tests.insight.report.conftest import customer, partner, payment, reward, sign_up

from ..conftest import INLINE, list_url, page_url, queries

pytestmark = pytest.mark.django_db

REPORT = "/admin/partnerstack/partnership/report/"
MAY = {"from": "2026-05", "to": "2026-05-31"}


@pytest.fixture(autouse=True)
def programme() -> None:
    Group.objects.create(mode="test", key="g1", name="Gold")
    partner("ada", group_key="g1", first_name="Ada", last_name="L"), partner("bob")
    for number, name in enumerate(["ada", "bob", "ada"]):
        customer(number, name)
        payment(f"pay-{number}", number, 4900)
    payment("pay-9", 1, 500, currency="JPY")
    sign_up(0, "2026-05-09", "ada")
    reward("r1", "ada", 490)


def rows(page: Any) -> list[list[str]]:
    table = page.rendered_content.split('id="result_list"')[1].split("</table>")[0]
    found = re.findall(r"<tr>(.*?)</tr>", table, re.DOTALL)
    cells = [re.findall(r"<t[hd].*?>(.*?)</t[hd]>", row, re.DOTALL) for row in found]
    return [[" ".join(re.sub(r"<.*?>|&#.*?;", " ", cell).split()) for cell in row] for row in cells]


def test_shows_each_partner_and_the_total(browser: Client) -> None:
    heads, ada, bob, total = rows(browser.get(REPORT, MAY))
    expected = "Partner Group Clicks_seen Sign-ups Paying Revenue_JPY Revenue_USD Refunds_JPY Refunds_USD"
    assert heads == [*expected.replace(" ", "\0").replace("_", " ").split("\0"), "Rewards approved USD"]
    assert ada == ["ada Ada L", "Gold", "1", "2", "2", "-", "98.00", "-", "-", "4.90"]
    assert bob == ["bob", "-", "-", "1", "1", "500", "49.00", "-", "-", "-"]
    assert total == ["Total", "", "1", "3", "3", "500", "147.00", "-", "-", "4.90"]


@pytest.mark.parametrize(
    ("order", "first"),
    [("-revenue-USD", "ada"), ("revenue-USD", "bob"), ("-revenue-JPY", "bob"), ("x", "ada")],
)
def test_is_sorted_by_a_head(browser: Client, order: str, first: str) -> None:
    assert rows(browser.get(REPORT, {**MAY, "o": order}))[1][0].split()[0] == first


def test_is_filtered_by_group(browser: Client) -> None:
    assert [row[0].split()[0] for row in rows(browser.get(REPORT, {**MAY, "group": "g1"}))] == [
        "Partner",
        "ada",
        "Total",
    ]


def test_each_figure_leads_to_the_list_behind_it(browser: Client) -> None:
    html = browser.get(REPORT, MAY).rendered_content.split('id="result_list"')[1]
    row = html.split("<tbody>")[1].split("</tr>")[0]
    found = {}
    for url in re.findall(r'href="(.*?)"', row)[1:]:
        page = browser.get(unquote(url).replace("&amp;", "&"))
        found[url.split("/")[3]] = [str(each) for each in page.context["cl"].result_list]
    assert found == {
        "attribution": ["account-0"],
        "customer": ["account-2", "account-0"],
        "transaction": ["pay-2", "pay-0"],
        "reward": ["r1"],
    }


def test_a_period_of_days_leads_to_the_same_days(browser: Client) -> None:
    payment("late", 0, 100, day="2026-05-20")
    html = browser.get(REPORT, {"from": "2026-05-19", "to": "2026-05-20"}).rendered_content
    url = re.findall(r'href="(/admin/partnerstack/transaction/[?].*?)"', html)[0].replace("&amp;", "&")
    assert [str(row) for row in browser.get(url).context["cl"].result_list] == ["late"]


@pytest.mark.parametrize(
    ("query", "says"),
    [({"from": "May"}, "is not a day"), ({"from": "2026-06", "to": "2026-05"}, "later than the last")],
)
def test_a_wrong_period_shows_the_current_month_and_says_so(browser: Client, query: Any, says: str) -> None:
    page = browser.get(REPORT, query)
    assert says in str(next(iter(page.context["messages"])))


def test_shows_only_what_the_user_may_see(staff: Callable[..., Client]) -> None:
    page = staff("view_partnership", "view_customer").get(REPORT, MAY)
    assert rows(page)[0] == ["Partner", "Group", "Sign-ups"]
    assert "98.00" not in page.rendered_content


def test_needs_the_permission_to_see_partnerships(staff: Callable[..., Client]) -> None:
    assert staff("view_customer", "view_transaction").get(REPORT).status_code == 403


def test_is_exported_with_a_permission(staff: Callable[..., Client]) -> None:
    clerk = staff("view_partnership", "export_partnership", "view_transaction")
    page = clerk.get(REPORT, {**MAY, "csv": "yes"})
    assert page["Content-Disposition"] == 'attachment; filename="partnerstack-report-2026-05.csv"'
    ada, _bob = csv.DictReader(b"".join(page.streaming_content).decode("utf-8-sig").splitlines())
    assert (ada["partner_key"], ada["revenue USD"], ada["sign_ups"]) == ("ada", "98.00", "0")


def test_is_not_exported_without_the_permission(browser: Client) -> None:
    assert browser.get(REPORT, {**MAY, "csv": "yes"}).status_code == 403
    assert "csv=yes" not in browser.get(REPORT, MAY).rendered_content


def test_many_partners_are_on_several_pages(browser: Client) -> None:
    Partnership.objects.bulk_create(
        Partnership(mode="test", key=f"part_x{number}", partner_key=f"x{number}") for number in range(150)
    )
    for number in range(150):
        customer(100 + number, f"x{number}")
    first, second = (rows(browser.get(REPORT, {**MAY, "p": page})) for page in "12")
    assert (len(first), len(second)) == (102, 54)
    assert first[-1] == second[-1]


def test_has_no_inline_scripts_or_styles_and_is_linked_from_the_list(browser: Client) -> None:
    assert not INLINE.findall(browser.get(REPORT, MAY).rendered_content)
    assert f'href="{REPORT}"' in browser.get(list_url(Partnership)).rendered_content


class TestPageOfAPartner:
    def test_shows_its_own_figures(self, browser: Client) -> None:
        page = browser.get(page_url(Partnership.objects.get(partner_key="ada"))).rendered_content
        table = page.split('class="partnerstack-figures"')[1].split("</table>")[0]
        assert "98.00" in table.split("All</th>")[1]
        assert "49.00" not in table

    def test_shows_only_what_the_user_may_see(self, staff: Callable[..., Client]) -> None:
        page = staff("view_partnership").get(page_url(Partnership.objects.get(partner_key="ada")))
        assert "98.00" not in page.rendered_content

    def test_takes_a_limited_number_of_queries(self, browser: Client) -> None:
        assert queries(browser, page_url(Partnership.objects.get(partner_key="ada"))) <= 37
