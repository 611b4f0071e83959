from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import quote, unquote

import pytest
from django.http import QueryDict
from django.test import RequestFactory
from django.utils.timezone import now

from django_partnerstack import attribution
from django_partnerstack.attribution.parameters import read
from django_partnerstack.attribution.script_cookies import LANDING

Open = Callable[..., list[dict[str, Any]]]

CLICK = "?ps_xid=SDe1fEo2ok35ne&ps_partner_key=dHJveWNvb3BlcjEzNjQ"
SECONDS = int(now().timestamp())


@pytest.fixture
def open_pages(open_pages: Open) -> Open:
    """By a clock that stands still."""
    return lambda script, *pages: open_pages(script, *({"now": SECONDS * 1000, **page} for page in pages))


def stored(page: dict[str, Any]) -> dict[str, str]:
    """The cookies that the browser has after the page."""
    jar: SimpleCookie = SimpleCookie()
    for text in page["cookies"]:
        jar.load(text)
    return {name: unquote(morsel.value) for name, morsel in jar.items() if morsel.value}


def jar_of(page: dict[str, Any]) -> dict[str, str]:
    """The cookies as the browser sends them."""
    pairs = [text.partition(";")[0].partition("=") for text in page["cookies"]]
    return {name: value for name, _, value in pairs if value}


def newest(page: dict[str, Any]) -> dict[str, str]:
    """The cookies with the newest click alone, as PartnerStack's own script sets them."""
    return {name: value for name, value in stored(page).items() if name != LANDING}


def test_a_click_is_stored_with_its_key_decoded(open_pages: Open) -> None:
    [page] = open_pages("landing.js", {"search": CLICK})
    assert stored(page) == {
        "ps_xid": "SDe1fEo2ok35ne",
        "ps_partner_key": "troycooper1364",
        "partnerstack_clicks": f"{SECONDS}.SDe1fEo2ok35ne.dHJveWNvb3BlcjEzNjQ",
    }


def test_the_site_can_read_the_cookies(open_pages: Open) -> None:
    [page] = open_pages("landing.js", {"search": CLICK.replace("dHJveWNvb3BlcjEzNjQ", quote("em/DqyA7IMOf"))})
    request = RequestFactory().get("/sign-up/")
    request.COOKIES.update(jar_of(page))
    visit = attribution.visit_of(request)
    [click] = visit.clicks
    assert (visit.method, click.click_id, click.partner_key) == ("landing-js", "SDe1fEo2ok35ne", "zoë ; ß")
    assert click.at == datetime.fromtimestamp(SECONDS, timezone.utc)


def test_the_last_five_clicks_are_stored_each_once_and_the_newest_first(open_pages: Open) -> None:
    jar: dict[str, str] = {}
    for number in (1, 2, 3, 4, 5, 6, 4, 6):
        sent = "; ".join(f"{name}={value}" for name, value in {"other": "x", **jar}.items())
        [page] = open_pages(
            "landing.js", {"search": f"?ps_xid=c{number}", "jar": sent, "now": (SECONDS + number) * 1000}
        )
        jar |= jar_of(page)
    entries = "~".join(f"{SECONDS + number}.c{number}." for number in (6, 5, 4, 3, 2))
    assert (unquote(jar[LANDING]), jar["ps_xid"]) == (entries, "c6")


def test_the_same_partner_without_a_click_id_is_clicked_again(open_pages: Open) -> None:
    [page] = open_pages("landing.js", {"search": "?gspk=Z3N0ZXN0", "jar": f"{LANDING}=1000000000..Z3N0ZXN0"})
    assert stored(page)[LANDING] == f"{SECONDS}..Z3N0ZXN0"


@pytest.mark.parametrize("value", ["", "%", "junk~1.2.3.4~.a.b", "%00", "x" * 4000])
def test_a_cookie_of_clicks_that_is_invalid_is_replaced(open_pages: Open, value: str) -> None:
    [page] = open_pages("landing.js", {"search": "?ps_xid=a", "jar": f"{LANDING}={value}"})
    assert stored(page)[LANDING] == f"{SECONDS}.a."


def test_the_longest_keys_fit_into_the_cookie(open_pages: Open) -> None:
    key = attribution.encode("\N{GRINNING FACE}" * 255).replace("+", "-").replace("/", "_")
    jar = f"{LANDING}=" + "~".join(f"{SECONDS - number}.c{number}.{key}" for number in range(2))
    [page] = open_pages("landing.js", {"search": f"?ps_xid=new&ps_partner_key={key}", "jar": jar})
    assert len(f"{LANDING}={stored(page)[LANDING]}") <= 4096
    assert stored(page)[LANDING].startswith(f"{SECONDS}.new.{key}~")


def test_the_cookies_are_for_the_parent_domain_and_90_days(open_pages: Open) -> None:
    [page] = open_pages("landing.js", {"search": CLICK, "dataset": {"domain": "example.com"}})
    assert page["cookies"][0] == (
        "ps_xid=SDe1fEo2ok35ne; Path=/; SameSite=Lax; Max-Age=7776000; Domain=example.com; Secure"
    )


def test_the_days_can_be_chosen_and_cookies_over_http_are_not_secure(open_pages: Open) -> None:
    [page] = open_pages("landing.js", {"search": CLICK, "dataset": {"days": "30"}, "protocol": "http:"})
    assert page["cookies"][0] == "ps_xid=SDe1fEo2ok35ne; Path=/; SameSite=Lax; Max-Age=2592000"


def test_a_later_link_removes_every_value_of_an_earlier_click(open_pages: Open) -> None:
    [page] = open_pages("landing.js", {"search": "?gspk=Z3N0ZXN0"})
    assert newest(page) == {"ps_partner_key": "gstest"}
    assert page["cookies"][0].startswith("ps_xid=; ")
    assert "Max-Age=0" in page["cookies"][0]


@pytest.mark.parametrize("search", ["", "?utm_source=x", "?ps_xid=<script>", "?gspk=%00", "?ps_xid="])
def test_a_page_without_a_click_sets_no_cookie(open_pages: Open, search: str) -> None:
    assert open_pages("landing.js", {"search": search})[0]["cookies"] == []


@pytest.mark.parametrize(
    ("page", "is_stored"),
    [
        ({"answer": True}, True),
        ({"answer": False}, False),
        ({"answer": True, "later": True}, True),
        ({"answer": False, "later": True}, False),
        ({}, False),
    ],
)
def test_consent_is_a_value_or_a_promise(open_pages: Open, page: dict[str, Any], is_stored: bool) -> None:
    [opened] = open_pages("landing.js", {"search": CLICK, "dataset": {"consent": "mayKeep"}, **page})
    assert bool(opened["cookies"]) is is_stored


def test_consent_may_be_given_later(open_pages: Open) -> None:
    page = {"search": CLICK, "dataset": {"consent": "mayKeep"}, "answer": False}
    refused, given = open_pages(
        "landing.js", {**page, "consents": [False]}, {**page, "consents": [False, True]}
    )
    assert refused["cookies"] == []
    assert stored(given)["ps_xid"] == "SDe1fEo2ok35ne"


SEARCHES = [
    *(f"?{name}=abc_DEF-123" for name in ("ps_xid", "gsxid")),
    "?ps_xid=new&gsxid=old",
    "?ps_xid=not%20one&gsxid=old",
    "?ps_xid=" + "x" * 64,
    "?ps_xid=" + "x" * 65,
    "?ps_xid=one&ps_xid=two",
    "?ps_xid=one&ps_xid=&gsxid=old",
    "?gspk=Z3N0ZXN0&gspk=&gspk=%00",
    *(
        f"?ps_partner_key={quote(key)}"
        for key in (
            "Z3N0ZXN0",
            "dHJveWNvb3BlcjEzNjQ",
            "dHJveWNvb3BlcjEzNjQ=",
            "Nzg0ZGsdsZWYyMWRi",
            "_w",
            "em_DqyA",
            "em/DqyA",
            "em DqyA",
            "QQ",
            "QR",
            "Q",
            "===",
            "AAAA",
            "gAo",
            "77u_YQ",
            "YQo",
            "4oCLYQ",
            "wqBh",
            attribution.encode("é" * 255),
            attribution.encode("é" * 256),
            attribution.encode("\N{GRINNING FACE}" * 255),
        )
    ),
    "?ps_partner_key=em+DqyA",
    "?ps_partner_key=%FF&gspk=Z3N0ZXN0",
]


def test_links_are_read_as_the_site_reads_them(open_pages: Open) -> None:
    pages = open_pages("landing.js", *({"search": search} for search in SEARCHES))
    for search, page in zip(SEARCHES, pages, strict=True):
        click = read(QueryDict(search[1:]), at=now(), path="/")
        expected = {"ps_xid": click.click_id, "ps_partner_key": click.partner_key} if click else {}
        assert newest(page) == {name: value for name, value in expected.items() if value}, search
        request = RequestFactory().get("/sign-up/")
        request.COOKIES.update(jar_of(page))
        found = [(each.click_id, each.partner_key) for each in attribution.visit_of(request).clicks]
        assert found == ([tuple(expected.values())] if any(expected.values()) else []), search
