"""Two sites in Chromium: this one is localhost, and 127.0.0.1 is the other one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from django_partnerstack.models import Attribution
from tests.example.visitors import Chromium, chromium, missing

from .clicks import CLICK, link

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
def site(live_server: Any, settings: Any, browser: Chromium) -> str:
    """The address of the site. The visitor comes by a partner's link, without any cookie."""
    settings.ALLOWED_HOSTS = ["*"]
    browser.open(live_server.url)
    browser.driver.delete_all_cookies()
    browser.open(f"{live_server.url}/landing/?{link()}")
    return live_server.url


def sign_in(browser: Chromium, site: str, query: str) -> str:
    """The click ID of the sign-up through an identity provider."""
    browser.open(f"{site}/begin/?{query}")
    browser.wait_for(lambda driver: driver.title == "Signed in")
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
    browser: Chromium, site: str, query: str, click_id: str
) -> None:
    assert sign_in(browser, site, query) == click_id


def test_a_form_of_another_site_brings_the_cookie_if_the_site_chose_that(
    browser: Chromium, live_server: Any, settings: Any
) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    settings.PARTNERSTACK_ATTRIBUTION_SAMESITE = "None"
    browser.open(live_server.url)
    browser.driver.delete_all_cookies()
    browser.open(f"{live_server.url}/landing/?{link()}")
    assert sign_in(browser, live_server.url, "back=sign-in&method=post") == CLICK
    assert Attribution.objects.get().method == "cookie"
