"""The page of the app in the admin: the overview, and the other pages in two groups."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from xml.etree import ElementTree

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client
from django.urls import path
from django.utils import timezone

from django_partnerstack.admin.overview.charts import Chart, Series, steps
from django_partnerstack.models import Attempt, AttemptKind, AttemptOutcome, State
from tests.insight.report.conftest import customer, partner, payment, sign_up

from .conftest import INLINE, queries, queue

pytestmark = pytest.mark.django_db

OVERVIEW = "/admin/partnerstack/"


@pytest.fixture(autouse=True)
def programme(settings: Any) -> None:
    settings.PARTNERSTACK_PUBLIC_KEY, settings.PARTNERSTACK_SECRET_KEY = "pk_1", "sk_1"
    now = timezone.now()
    partner("ada")
    sign_up(1, "", "ada", bound_at=now, clicked_at=now)
    sign_up(2, bound_at=now)
    customer(1, "ada", remote_created_at=now)
    payment("p1", 1, 4900, remote_created_at=now)
    payment("p2", 1, 500, currency="JPY", remote_created_at=now)
    message = queue(State.FAILED, queued_at=now - timedelta(hours=1), finished_at=now)
    Attempt.objects.create(
        message=message,
        mode="test",
        kind=AttemptKind.SEND,
        number=1,
        started_at=now,
        outcome=AttemptOutcome.FAILED,
    )


def content(browser: Client) -> str:
    return browser.get(OVERVIEW).rendered_content.split('class="partnerstack-overview"')[1]


def texts(html: str) -> str:
    return " ".join(re.sub(r"<.*?>", " ", html, flags=re.DOTALL).split())


def test_shows_how_the_integration_and_the_programme_do(browser: Client) -> None:
    shown = texts(content(browser))
    for text in ("Needs attention", "Attributed 50 %", "Sign-ups per day", "Revenue per month, USD", "49.00"):
        assert text in shown
    for text in ("Revenue per month, JPY", "Messages per hour", "Clicks 1", "First payments 1 100 %"):
        assert text in shown


def test_each_picture_is_valid_has_a_text_and_a_table_of_the_same_numbers(browser: Client) -> None:
    html = content(browser)
    pictures = re.findall(r"<svg class=\"partnerstack.*?</svg>", html, re.DOTALL)
    assert len(pictures) == 4 + 3
    for picture in pictures:
        ElementTree.fromstring(picture)
    for name in ("sign-ups", "revenue-USD", "revenue-JPY", "deliveries"):
        assert f'aria-labelledby="{name}-title {name}-desc"' in html
        assert f'<desc id="{name}-desc">' in html
    assert html.count("As a table") == 4


def test_each_figure_leads_to_a_list_that_shows_it(admin_client: Client) -> None:
    html = content(admin_client)
    urls = {url.replace("&amp;", "&") for url in re.findall(r'href="(/admin/partnerstack/.*?)"', html)}
    lists = [url for url in urls if "?" in url]
    assert len(lists) > 100
    for url in [each for each in lists if "__gte" not in each]:
        assert admin_client.get(url).status_code == 200, url
    today = [url for url in lists if "organic=yes" in url and "bound_at" in url]
    found = [admin_client.get(url).context["cl"].result_count for url in today]
    assert sum(found) == 1


def test_has_no_inline_scripts_or_styles(browser: Client) -> None:
    assert not INLINE.findall(browser.get(OVERVIEW).rendered_content)


def test_the_pages_about_the_programme_come_first(admin_client: Client) -> None:
    names = re.findall(r'<tr class="model-(\w+)', content(admin_client))
    assert names[:3] == ["partnership", "customer", "transaction"]
    assert names.index("action") < names.index("outboxmessage")
    assert (
        len(names)
        == len(set(names))
        == len([model for model in admin.site._registry if model._meta.app_label == "partnerstack"])
    )


@pytest.mark.parametrize(
    ("permission", "shows", "hides"),
    [
        (
            "view_transaction",
            ["Revenue per month", "49.00"],
            ["Sign-ups per day", "To be sent", "Top partners"],
        ),
        (
            "view_attribution",
            ["Sign-ups per day", "Attributed"],
            ["Revenue per month", "49.00", "First payments"],
        ),
        ("view_outboxmessage", ["Messages per hour", "To be sent"], ["Revenue", "Sign-ups per day"]),
        ("view_partnership", ["Partner report"], ["49.00", "Sign-ups per day", "Messages per hour"]),
    ],
)
def test_users_see_the_figures_of_what_they_may_view(
    staff: Callable[..., Client], permission: str, shows: list[str], hides: list[str]
) -> None:
    shown = texts(content(staff(permission)))
    assert [text for text in shows if text not in shown] == []
    assert [text for text in hides if text in shown] == []


def test_works_in_an_admin_site_of_the_host(settings: Any, client: Client) -> None:
    site = admin.AdminSite(name="backoffice")
    for model, model_admin in admin.site._registry.items():
        site.register(model, type(model_admin))
    settings.ROOT_URLCONF = (path("office/", site.urls), path("admin/", admin.site.urls))
    client.force_login(User.objects.create_superuser("boss"))
    html = client.get("/office/partnerstack/").rendered_content.split('class="partnerstack-overview"')[1]
    assert "/office/partnerstack/transaction/?" in html
    assert "/admin/" not in html


def test_an_empty_site_has_an_overview(admin_client: Client) -> None:
    for model in (
        Attempt,
        *(each for each in admin.site._registry if each._meta.app_label == "partnerstack"),
    ):
        model._default_manager.all().delete()
    shown = texts(content(admin_client))
    assert "Nothing yet." in shown
    assert "Top partners" not in shown


def test_takes_as_many_queries_for_many_rows_as_for_few(browser: Client) -> None:
    few = queries(browser, OVERVIEW)
    for number in range(10, 40):
        customer(number, "ada", remote_created_at=timezone.now())
        payment(f"p{number}", number, 100, remote_created_at=timezone.now())
    assert queries(browser, OVERVIEW) == few <= 22


class TestChart:
    def test_stacks_its_series(self) -> None:
        series = [Series("a", "first", [1, 3], ["1", "3"]), Series("b", "second", [1, 0], ["1", "0"])]
        first, _second, above = Chart("x", "X", ["m", "t"], series, "3", "").bars
        assert (first.x, first.y, first.height) == ("5.000", "66.667", "33.333")
        assert (above.x, above.y, above.height) == ("5.000", "33.333", "33.333")

    def test_a_negative_month_has_no_bar_and_stays_in_the_table(self) -> None:
        chart = Chart("x", "X", ["m"], [Series("a", "first", [-5], ["-5"])], "-5", "")
        assert chart.bars == []
        assert chart.rows == [("m", [("-5", "")])]

    def test_a_funnel_has_the_share_of_the_step_before(self) -> None:
        found = steps([("a", 200, ""), ("b", 50, ""), ("c", 0, "")])
        assert [(step.text, step.share, step.width) for step in found] == [
            ("200", "", "100.000"),
            ("50", "25 %", "25.000"),
            ("0", "0 %", "0.000"),
        ]
