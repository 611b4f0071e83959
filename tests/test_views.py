from __future__ import annotations

from typing import Any

import pytest
from django.test import Client, RequestFactory
from django.urls import reverse

from django_partnerstack import attribution

LANDING = "/partnerstack/token/?ps_xid=SDe1fEo2ok35ne"


def test_a_single_page_app_gets_the_clicks_of_its_visitor(client: Client) -> None:
    client.get(LANDING)
    token = client.get(reverse("partnerstack:token")).json()["token"]
    sent = RequestFactory().post("/api/sign-up/", headers={"X-PartnerStack-Token": token})
    assert attribution.visit_of(sent).clicks[0].click_id == "SDe1fEo2ok35ne"


def test_without_a_click_the_token_is_empty(client: Client) -> None:
    assert client.get("/partnerstack/token/").json() == {"token": ""}


def test_no_cache_and_no_other_site_gets_the_token(client: Client) -> None:
    response = client.get(LANDING)
    assert {"no-store", "private"} <= set(response["Cache-Control"].split(", "))
    assert "Access-Control-Allow-Origin" not in response


@pytest.mark.parametrize("method", ["post", "put", "delete", "head"])
def test_the_token_can_only_be_requested_with_get(client: Client, method: str) -> None:
    assert getattr(client, method)("/partnerstack/token/").status_code == 405


def test_visitors_who_are_not_logged_in_get_the_token(client: Client, settings: Any) -> None:
    wall = "django.contrib.auth.middleware.LoginRequiredMiddleware"
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, wall]
    assert client.get("/partnerstack/token/").status_code == 200
