"""Two sites in Chromium: this one is localhost, and 127.0.0.1 is the other one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from django_partnerstack.models import Attribution
from tests.example.visitors import Chromium, chromium, missing

from .clicks import CLICK, COOKIE, link

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.urls("tests.attribution.urls"),
    pytest.mark.skipif(bool(missing()), reason=f"not installed: {missing()}"),
]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: Any) -> Iterator[Chromium]:
    with chromium(str(tmp_path_factory.mktemp("profile"))) as browser:
        yield browser


@pytest.fixture
def come(live_server: Any, settings: Any, browser: Chromium) -> Callable[[], str]:
    """Comes by a partner's link, without any cookie. Returns the address of the site."""
    settings.ALLOWED_HOSTS = ["*"]

    def come() -> str:
        browser.open(live_server.url)
        browser.driver.delete_all_cookies()
        browser.open(f"{live_server.url}/landing/?{link()}")
        return live_server.url

    return come


def sign_in(browser: Chromium, site: str, query: str) -> str:
    """The click ID of the sign-up through an identity provider."""
    browser.open(f"{site}/begin/?{query}")
    browser.wait_for("document.title === 'Signed in'")
    return Attribution.objects.get().click_id


@pytest.mark.parametrize(
    ("query", "click_id"),
    [
        ("back=sign-in&method=get", CLICK),
        ("back=sign-in&method=post", ""),
        ("back=sign-in&method=post&carry=1", CLICK),
        ("back=redirected-sign-in&method=post", CLICK),
    ],
    ids=["by redirect", "by form without state", "by form with state", "by form and redirect"],
)
def test_a_click_survives_an_identity_provider(
    browser: Chromium, come: Callable[[], str], query: str, click_id: str
) -> None:
    assert sign_in(browser, come(), query) == click_id


def test_a_form_of_another_site_brings_the_cookie_if_the_site_chose_that(
    browser: Chromium, come: Callable[[], str], settings: Any
) -> None:
    settings.PARTNERSTACK_ATTRIBUTION_SAMESITE = "None"
    assert sign_in(browser, come(), "back=sign-in&method=post") == CLICK
    assert Attribution.objects.get().method == "cookie"


def test_an_image_and_a_frame_of_another_site_store_no_click(
    browser: Chromium, come: Callable[[], str]
) -> None:
    site = come()
    planting = f"{site.replace('localhost', '127.0.0.1')}/planting/?of={site}/landing/%3Fps_xid=planted"
    browser.open(planting)
    browser.open(planting.replace("127.0.0.1", "localhost", 1))
    assert sign_in(browser, site, "back=sign-in&method=get") == CLICK


def test_consent_on_the_landing_page_takes_the_click_to_the_next_page(
    browser: Chromium, come: Callable[[], str], settings: Any
) -> None:
    settings.PARTNERSTACK_ATTRIBUTION_CONSENT = "tests.attribution.clicks.by_cookie"
    come()
    assert browser.driver.get_cookies() == []
    browser.driver.execute_script("document.cookie = 'consent=yes; path=/'")
    browser.driver.execute_script("location.href = '/sign-in/'")
    browser.wait_for("document.title === 'Signed in'")
    assert (Attribution.objects.get().click_id, Attribution.objects.get().method) == (CLICK, "page-before")
    assert COOKIE in [each["name"] for each in browser.driver.get_cookies()]
