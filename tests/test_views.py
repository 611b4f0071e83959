from __future__ import annotations

from typing import Any

import pytest
from django.test import Client, RequestFactory
from django.urls import reverse

from django_partnerstack import attribution

CLICK = "SDe1fEo2ok35ne"
LINK = f"ps_xid={CLICK}"


def click_in(token: str) -> str:
    """The click ID that counts for a sign-up with the token, or ""."""
    sent = RequestFactory().post("/api/sign-up/", headers={"X-PartnerStack-Token": token})
    clicks = attribution.visit_of(sent).clicks
    return clicks[0].click_id if clicks else ""


def token_of(client: Client, query: str = "", **headers: str) -> str:
    return client.get(f"{reverse('partnerstack:token')}?{query}", headers=headers).json()["token"]


def test_a_single_page_app_gets_the_clicks_of_its_visitor(client: Client) -> None:
    client.get(f"/?{LINK}")
    assert click_in(token_of(client, **{"Sec-Fetch-Dest": "empty"})) == CLICK


def test_without_a_click_the_token_is_empty(client: Client) -> None:
    assert client.get("/partnerstack/token/").json() == {"token": ""}


def test_a_click_in_the_address_of_the_token_itself_does_not_count(client: Client) -> None:
    landing = f"http://testserver/?{LINK}"
    for sent in ({}, {"Sec-Fetch-Dest": "document"}, {"Referer": landing}):
        assert token_of(client, LINK, **sent) == ""
    assert not client.cookies
    client.get(f"/?{LINK}")
    assert click_in(token_of(client, "ps_xid=planted")) == CLICK
    assert click_in(token_of(client)) == CLICK


def test_no_cache_and_no_other_site_gets_the_token(client: Client) -> None:
    client.get(f"/?{LINK}")
    response = client.get("/partnerstack/token/")
    assert {"no-store", "private"} <= set(response["Cache-Control"].split(", "))
    assert "Access-Control-Allow-Origin" not in response


@pytest.mark.parametrize("method", ["post", "put", "delete", "head"])
def test_the_token_can_only_be_requested_with_get(client: Client, method: str) -> None:
    assert getattr(client, method)("/partnerstack/token/").status_code == 405


def test_visitors_who_are_not_logged_in_get_the_token(client: Client, settings: Any) -> None:
    wall = "django.contrib.auth.middleware.LoginRequiredMiddleware"
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, wall]
    assert client.get("/partnerstack/token/").status_code == 200
