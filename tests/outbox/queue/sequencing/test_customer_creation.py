"""How a customer is created: with a partner key, by converting a click, or not at all."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import override_settings

from django_partnerstack import track
from django_partnerstack.models import OutboxMessage
from django_partnerstack.sandbox import TEST_TRACKING_TOKEN
from tests.attribution.clicks import account, came_by, click, key_of, request
from tests.attribution.converting import ConvertingSite
from tests.outbox.site import message, payment

pytestmark = pytest.mark.django_db

WITH_TOKEN = override_settings(PARTNERSTACK_TRACKING_TOKEN=TEST_TRACKING_TOKEN)


@pytest.fixture
def site() -> ConvertingSite:
    return ConvertingSite()


def sign_up(*clicks: Any, **fields: Any) -> OutboxMessage:
    track.signup(account(**fields), request=came_by(*clicks) if clicks else request())
    return message("customers.save")


def sent(site: ConvertingSite) -> tuple[str, dict[str, Any]]:
    """The first request that was sent: path and body."""
    site.push()
    first = site.adapter.requests[0]
    return (first.path_url or "").removeprefix("/api/v2"), json.loads(first.body or b"{}")


@WITH_TOKEN
def test_a_click_is_converted(site: ConvertingSite) -> None:
    xid = site.sandbox.click("gstest")
    sign_up(click(xid, "gstest"), name="Ada")
    path, body = sent(site)
    assert path == "/conversion/xid"
    assert body == {
        "xid": xid, "customer_key": message("conversions.create").subject,
        "email": "a@customers.example", "name": "Ada",
    }  # fmt: skip


def test_without_a_tracking_token_the_clicks_partner_is_named(site: ConvertingSite) -> None:
    sign_up(click(site.sandbox.click("gstest"), "gstest"))
    path, body = sent(site)
    assert (path, body["partner_key"]) == ("/customers", "gstest")
    assert "xid" not in body


@WITH_TOKEN
def test_a_partner_without_a_click_is_named(site: ConvertingSite) -> None:
    sign_up(click("", "gstest"))
    path, body = sent(site)
    assert (path, body["partner_key"]) == ("/customers", "gstest")


@WITH_TOKEN
def test_a_partner_that_the_site_names_has_precedence_over_a_click(site: ConvertingSite) -> None:
    sign_up(click(partner_key="another"), partner_key="gstest")
    path, body = sent(site)
    assert (path, body["partner_key"]) == ("/customers", "gstest")


@WITH_TOKEN
def test_a_partner_that_an_operator_assigned_has_precedence_over_all(site: ConvertingSite) -> None:
    site.sandbox.create("partnerships", partner_key="by-hand", email="hand@partners.example")
    shop = account(partner_key="gstest")
    track.signup(shop, request=came_by(click()))
    track.assign(key_of(shop), "by-hand", by="ada")
    assert sent(site)[1]["partner_key"] == "by-hand"


@WITH_TOKEN
def test_a_customer_without_a_click_is_organic(site: ConvertingSite) -> None:
    shop = account()
    track.signup(shop, request=request())
    payment(shop)
    site.push()
    assert site.sent == []
    assert message("customers.create").reason.startswith("The visitor did not come by a partner's link")


def test_a_click_without_a_partner_needs_the_tracking_token(site: ConvertingSite) -> None:
    xid = site.sandbox.click("gstest")
    shop = account()
    track.signup(shop, request=came_by(click(xid, "", unread_key="Nzg0")))
    site.push()
    assert message("customers.create").state == "organic"
    assert "PARTNERSTACK_TRACKING_TOKEN" in message("customers.create").reason
    with WITH_TOKEN:
        shop.name = "Changed"
        shop.save()
        site.push_for(minutes=1)
    assert site.effects("conversions.create") == {key_of(shop): 1}


@WITH_TOKEN
def test_a_click_is_converted_even_if_its_partner_key_cannot_be_read(site: ConvertingSite) -> None:
    sign_up(click(site.sandbox.click("gstest"), "", unread_key="Nzg0ZGsdsZWYyMWRi"))
    assert sent(site)[0] == "/conversion/xid"


@WITH_TOKEN
def test_a_partner_key_that_cannot_be_read_without_a_click_leaves_the_customer_organic(
    site: ConvertingSite,
) -> None:
    sign_up(click("", "", unread_key="Nzg0ZGsdsZWYyMWRi"))
    site.push()
    assert site.sent == []
    assert message("customers.create").reason == "The partner key in the link could not be read."


@WITH_TOKEN
@pytest.mark.parametrize("privacy", ["full", "contact", "hashed", "none"])
def test_a_conversion_contains_only_what_the_privacy_setting_allows(
    site: ConvertingSite, privacy: str
) -> None:
    found = came_by(click(site.sandbox.click("gstest")), REMOTE_ADDR="192.0.2.7", HTTP_USER_AGENT="Browser")
    with override_settings(PARTNERSTACK_PRIVACY=privacy):
        track.signup(account(name="Ada"), request=found)
        body = sent(site)[1]
    assert ("ip_address" in body, "user_agent" in body, "origin" in body) == (privacy == "full",) * 3
    assert ("name" in body) == (privacy in ("full", "contact"))
    assert (body["email"] == "a@customers.example") == (privacy in ("full", "contact"))


@WITH_TOKEN
def test_a_stored_visit_is_not_sent_after_the_privacy_setting_was_tightened(site: ConvertingSite) -> None:
    found = came_by(click(site.sandbox.click("gstest")), HTTP_USER_AGENT="Browser")
    with override_settings(PARTNERSTACK_PRIVACY="full"):
        track.signup(account(), request=found)
    assert "user_agent" not in sent(site)[1]


@WITH_TOKEN
def test_the_attribution_is_fixed_when_the_message_is_sequenced(site: ConvertingSite) -> None:
    sign_up(click(site.sandbox.click("gstest"), "gstest"))
    site.sandbox.faults.add("status", status=503, times=1)
    site.push(limit=1)
    with override_settings(PARTNERSTACK_TRACKING_TOKEN=""):
        site.push_for(minutes=30)
    assert message("conversions.create").state == "delivered"
