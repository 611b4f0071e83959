"""A privacy setting that has become stricter covers what was queued before."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from django.test import override_settings

from django_partnerstack import track
from django_partnerstack.outbox.permitted import hashed, permitted, same_address
from django_partnerstack.sandbox import TEST_TRACKING_TOKEN
from tests.attribution.clicks import came_by, click
from tests.attribution.converting import ConvertingSite
from tests.outbox.site import Site, account, message, payment

ADDRESS = "Ada@customers.example"
HASH = f"{hashlib.sha256(b'ada@customers.example').hexdigest()}@hashed.invalid"


def anonymous(key: str) -> str:
    return f"{hashlib.sha256(key.encode()).hexdigest()}@none.invalid"


def bodies(site: Site, method: str = "POST") -> list[dict[str, Any]]:
    return [json.loads(each.body) for each in site.adapter.requests if each.method == method and each.body]


@pytest.mark.django_db
@pytest.mark.parametrize("privacy", ["hashed", "none"])
def test_a_queued_customer_leaves_as_a_stricter_setting_permits(privacy: str) -> None:
    site = Site()
    shop = account(email=ADDRESS, name="Ada")
    queued = message("customers.save").payload
    with override_settings(PARTNERSTACK_PRIVACY=privacy):
        site.push()
    expected = {"hashed": HASH, "none": anonymous(f"shop-account-{shop.pk}")}[privacy]
    [body] = bodies(site)
    assert (body["email"], "name" in body) == (expected, False)
    assert message("customers.create").payload == queued
    assert message("customers.create").state == "delivered"


@pytest.mark.django_db
def test_a_queued_update_leaves_as_a_stricter_setting_permits() -> None:
    site = Site()
    shop = account()
    site.push()
    shop.email, shop.name = ADDRESS, "Ada"
    shop.save()
    with override_settings(PARTNERSTACK_PRIVACY="hashed"):
        site.push()
    assert bodies(site, "PATCH") == [{"email": HASH}]


@pytest.mark.django_db
@override_settings(PARTNERSTACK_TRACKING_TOKEN=TEST_TRACKING_TOKEN)
def test_a_queued_conversion_leaves_without_the_visit() -> None:
    site = ConvertingSite()
    found = came_by(click(site.sandbox.click("gstest")), HTTP_USER_AGENT="Browser")
    with override_settings(PARTNERSTACK_PRIVACY="full"):
        track.signup(account(partner_key="", email=ADDRESS, name="Ada"), request=found)
        site.sandbox.faults.add("status", status=503, times=1)
        site.push(limit=1)
    assert "user_agent" in message("conversions.create").content
    site.sandbox.faults.clear()
    before = len(bodies(site))
    with override_settings(PARTNERSTACK_PRIVACY="hashed"):
        site.push_for(hours=1)
    body = bodies(site)[before]
    assert not {"user_agent", "ip_address", "origin", "name"} & body.keys()
    assert body["email"] == HASH
    assert message("conversions.create").state == "delivered"


@pytest.mark.django_db
def test_what_was_sent_before_the_setting_is_found_after_it() -> None:
    site = Site()
    shop = account(email=ADDRESS)
    payment(shop)
    site.fail("lost", after_effect=True)
    site.push(limit=1)
    with override_settings(PARTNERSTACK_PRIVACY="hashed"):
        site.push_for(hours=1)
    assert site.effects("customers.create") == {f"shop-account-{shop.pk}": 1}
    assert (message("customers.create").state, message("transactions.create").state) == ("delivered",) * 2


@pytest.mark.django_db
@override_settings(PARTNERSTACK_PRIVACY="hashed")
def test_the_outbox_keeps_no_more_than_the_setting_permits() -> None:
    account(email=ADDRESS, name="Ada")
    assert message("customers.save").payload["email"] == HASH


@pytest.mark.parametrize("before", ["full", "contact", "hashed", "none"])
@pytest.mark.parametrize("now", ["full", "contact", "hashed", "none"])
def test_a_content_never_becomes_less_anonymous(before: str, now: str) -> None:
    content = {
        "customer_key": "account-1",
        "email": ADDRESS,
        "name": "Ada",
        "xid": "x",
        "ip_address": "192.0.2.7",
    }
    strictness = ["full", "contact", "hashed", "none"]
    stricter = max(before, now, key=strictness.index)
    with override_settings(PARTNERSTACK_PRIVACY=before):
        queued = permitted(content)
    with override_settings(PARTNERSTACK_PRIVACY=now):
        left = permitted(queued)
        assert permitted(left) == left
    with override_settings(PARTNERSTACK_PRIVACY=stricter):
        assert left == permitted(content)


@override_settings(PARTNERSTACK_PRIVACY="none")
def test_only_the_content_about_a_customer_is_changed() -> None:
    content = {"key": "inv_1", "customer_external_key": "account-1", "metadata": {"name": "x", "email": "y"}}
    assert permitted(content) == content


@override_settings(PARTNERSTACK_PRIVACY="hashed")
def test_a_customer_without_an_address_has_no_hash() -> None:
    assert permitted({"customer_key": "account-1", "name": "Ada"}) == {"customer_key": "account-1"}


@pytest.mark.parametrize(
    ("queued", "shown", "same"),
    [
        (ADDRESS, ADDRESS.lower(), True),
        (ADDRESS, HASH, True),
        (ADDRESS, anonymous("account-1"), True),
        (HASH, ADDRESS, True),
        (HASH, HASH, True),
        (ADDRESS, "eve@customers.example", False),
        (ADDRESS, hashed("eve@customers.example"), False),
        (HASH, "eve@customers.example", False),
    ],
)
def test_an_address_is_compared_with_all_that_may_have_been_sent(queued: str, shown: str, same: bool) -> None:
    assert same_address(queued, shown) is same
