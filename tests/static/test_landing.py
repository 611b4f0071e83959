from __future__ import annotations

from collections.abc import Callable
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import quote, unquote

import pytest
from django.http import QueryDict
from django.test import RequestFactory
from django.utils import timezone

from django_partnerstack import attribution
from django_partnerstack.attribution.parameters import read

Open = Callable[..., list[dict[str, Any]]]

CLICK = "?ps_xid=SDe1fEo2ok35ne&ps_partner_key=dHJveWNvb3BlcjEzNjQ"


def stored(page: dict[str, Any]) -> dict[str, str]:
    """The cookies that the browser has after the page."""
    jar: SimpleCookie = SimpleCookie()
    for text in page["cookies"]:
        jar.load(text)
    return {name: unquote(morsel.value) for name, morsel in jar.items() if morsel.value}


def test_a_click_is_stored_with_its_key_decoded(open_pages: Open) -> None:
    [page] = open_pages("landing.js", {"search": CLICK})
    assert stored(page) == {"ps_xid": "SDe1fEo2ok35ne", "ps_partner_key": "troycooper1364"}


def test_the_site_can_read_the_cookies(open_pages: Open) -> None:
    [page] = open_pages("landing.js", {"search": CLICK.replace("dHJveWNvb3BlcjEzNjQ", quote("em/DqyA7IMOf"))})
    request = RequestFactory().get("/sign-up/")
    for text in page["cookies"]:
        name, _, value = text.partition(";")[0].partition("=")
        request.COOKIES[name] = value
    click = attribution.visit_of(request).clicks[0]
    assert (click.click_id, click.partner_key) == ("SDe1fEo2ok35ne", "zoë ; ß")


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
    assert stored(page) == {"ps_partner_key": "gstest"}
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


SEARCHES = [
    *(f"?{name}=abc_DEF-123" for name in ("ps_xid", "gsxid")),
    "?ps_xid=new&gsxid=old",
    "?ps_xid=not%20one&gsxid=old",
    "?ps_xid=" + "x" * 64,
    "?ps_xid=" + "x" * 65,
    "?ps_xid=one&ps_xid=two",
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
        click = read(QueryDict(search[1:]), at=timezone.now(), path="/")
        expected = {"ps_xid": click.click_id, "ps_partner_key": click.partner_key} if click else {}
        assert stored(page) == {name: value for name, value in expected.items() if value}, search
