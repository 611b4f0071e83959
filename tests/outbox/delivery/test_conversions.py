"""Conversions without an answer, or with a late effect or none, create each customer once, and first."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from django.test import override_settings

from django_partnerstack import track
from django_partnerstack.models import Attempt
from django_partnerstack.outbox.control import actions
from django_partnerstack.outbox.delivery.look_up import span
from django_partnerstack.outbox.delivery.loop import DeliveryLoop
from django_partnerstack.outbox.operations import state_label
from django_partnerstack.outbox.queue.claim import claim
from django_partnerstack.sandbox import TEST_TRACKING_TOKEN
from tests.attribution.clicks import CLICK, account, came_by, click, customer, key_of
from tests.attribution.converting import ConvertingSite
from tests.lengths import by_length
from tests.outbox.site import lane_of, message, messages, payment, states
from tests.shop.models import Account

pytestmark = pytest.mark.django_db

CUSTOMERS = by_length(quick=60, usual=200, long=2_000)


@pytest.fixture(autouse=True)
def tracking_token() -> Iterator[None]:
    with override_settings(PARTNERSTACK_TRACKING_TOKEN=TEST_TRACKING_TOKEN):
        yield


@pytest.fixture
def site() -> ConvertingSite:
    return ConvertingSite()


def sign_up(site: ConvertingSite, xid: str = "", **fields: Any) -> Account:
    shop = account(**fields)
    track.signup(shop, request=came_by(click(xid or site.sandbox.click("gstest"), "gstest")))
    return shop


def converted(site: ConvertingSite) -> Counter[str]:
    return Counter(each.customer_key for each in site.sandbox.conversions)


def test_a_conversion_is_delivered_once_its_customer_is_found(site: ConvertingSite) -> None:
    shop = sign_up(site)
    site.sandbox.behaviour.conversion_lag = 120
    site.push()
    assert message("conversions.create").state == "unknown"
    assert message("conversions.create").reason.startswith("PartnerStack accepted it. It counts as delivered")
    site.push_for(minutes=5)
    assert message("conversions.create").state == "delivered"
    assert (customer(shop).partner_key, customer(shop).key[:4]) == ("gstest", "cus_")


def test_the_normal_course_of_a_conversion_reads_like_one(site: ConvertingSite) -> None:
    sign_up(site)
    assert site.push() == {"accepted": 1}
    assert state_label(message("conversions.create")) == "to be confirmed"
    site.push_for(seconds=5)
    delivered = message("conversions.create")
    assert re.fullmatch(r"Sent to PartnerStack\. Confirmed by a look-up after \d s\.", delivered.reason)
    assert delivered.attempts == 1
    recorded = Attempt.objects.filter(message=delivered).order_by("pk")
    assert [(each.kind, each.request_line, each.outcome) for each in recorded] == [
        ("send", "POST /conversion/xid", "accepted"),
        ("look_up", f"GET /api/v2/customers/{delivered.subject}", "found"),
    ]


@pytest.mark.parametrize(("seconds", "text"), [(0.2, "1 s"), (100, "100 s"), (400, "6 min"), (9000, "2 h")])
def test_the_time_until_a_confirmation_is_said_as_people_say_it(seconds: float, text: str) -> None:
    assert span(timedelta(seconds=seconds)) == text


def test_a_conversion_of_a_customer_without_an_address_names_none(site: ConvertingSite) -> None:
    shop = Account.objects.create(email="")
    track.signup(shop, request=came_by(click(site.sandbox.click("gstest"), "gstest")))
    site.push()
    [sent] = [each for each in site.adapter.requests if each.path_url == "/conversion/xid"]
    assert "email" not in json.loads(sent.body or b"")


def test_nothing_else_about_the_customer_is_sent_before(site: ConvertingSite) -> None:
    site.sandbox.behaviour.conversion_lag = 120
    shop = sign_up(site)
    paid = payment(shop)
    track.event(shop, "demo", key="demo-1")
    shop.name = "Ada"
    shop.save()
    site.push_for(seconds=119)
    assert set(site.sent) == {"POST /conversion/xid", f"GET /customers/{key_of(shop)}"}
    site.push_for(minutes=5)
    assert set(states().values()) == {"delivered"}
    assert site.effects("transactions.create") == {f"payment-{paid.pk}": 1}
    assert site.sandbox.objects("customers")[0]["name"] == "Ada"


def test_other_customers_do_not_wait_for_it(site: ConvertingSite) -> None:
    site.sandbox.behaviour.conversion_lag = 120
    sign_up(site)
    payment(account(partner_key="gstest"))
    site.push()
    assert message("transactions.create").state == "delivered"


@pytest.mark.parametrize("grace", [60, 900])
def test_a_conversion_is_not_repeated_before_the_grace_ends(site: ConvertingSite, grace: int) -> None:
    site.sandbox.behaviour.phantom = 1
    shop = sign_up(site)
    site.worker = site.new_worker(grace_seconds=grace)
    site.push_for(seconds=grace - 1)
    assert converted(site) == {key_of(shop): 1}
    assert message("conversions.create").reason == "Not found yet; PartnerStack may show it later."
    site.sandbox.behaviour.phantom = 0
    site.push_for(minutes=2)
    assert converted(site) == {key_of(shop): 2}
    assert message("conversions.create").state == "delivered"


@pytest.mark.parametrize("fault", ["lost", "reset"])
def test_a_conversion_without_an_answer_is_looked_up(site: ConvertingSite, fault: Any) -> None:
    shop = sign_up(site)
    site.sandbox.faults.add(fault, path="/conversion/", times=1)
    site.push_for(hours=1)
    assert message("conversions.create").state == "delivered"
    assert sum(each.created for each in site.sandbox.conversions) == 1
    assert converted(site)[key_of(shop)] <= 2


def test_the_conversion_of_a_worker_that_died_is_looked_up(site: ConvertingSite) -> None:
    shop = sign_up(site)
    site.push(limit=0)
    dying = site.new_worker()
    [claimed] = claim(dying.throttle, dying.delivered, 1, lease=dying.lease).claimed
    dying.attempts.sender.deliver(claimed.message, claimed.lease_expires_at)
    site.push_for(hours=1)
    assert message("conversions.create").state == "delivered"
    assert converted(site) == {key_of(shop): 1}


def test_an_unknown_click_finally_needs_attention(site: ConvertingSite) -> None:
    shop = sign_up(site, xid=CLICK)
    payment(shop)
    site.push_for(hours=12, step=60)
    given_up = message("conversions.create")
    assert (given_up.state, converted(site)[key_of(shop)]) == ("dead", 24)
    assert given_up.attempts == 24
    assert given_up.reason.startswith(f"Given up after 24 attempts: PartnerStack has no {key_of(shop)}")
    assert CLICK in given_up.reason
    assert "assign a partner" in given_up.reason
    assert message("transactions.create").state == "blocked"


def test_a_retry_by_an_operator_looks_the_customer_up_first(site: ConvertingSite) -> None:
    shop = sign_up(site, xid=CLICK)
    site.push_for(hours=12, step=60)
    site.sandbox.create("customers", customer_key=key_of(shop), email=shop.email, partner_key="gstest")
    actions.retry(message("conversions.create"))
    site.push()
    assert message("conversions.create").state == "delivered"
    assert converted(site)[key_of(shop)] == 24


class TestAWrongTrackingToken:
    @pytest.fixture
    def wrong(self, site: ConvertingSite) -> DeliveryLoop:
        return site.new_worker(tracking_token="a-token-of-another-account")

    def test_stops_only_conversions(self, site: ConvertingSite, wrong: DeliveryLoop) -> None:
        for _ in range(20):
            sign_up(site)
        payment(account(partner_key="gstest"))
        site.push(wrong)
        assert Counter(each.state for each in messages("conversions.create")) == {"ready": 20}
        assert {each.state for each in messages(operation__startswith="customers")} == {"delivered"}
        assert message("transactions.create").state == "delivered"

    def test_costs_no_attempt_and_gives_the_reason(self, site: ConvertingSite, wrong: DeliveryLoop) -> None:
        shop = sign_up(site)
        site.push(wrong)
        refused = message("conversions.create")
        assert (refused.state, refused.attempts) == ("ready", 0)
        assert refused.reason.startswith("PartnerStack rejected PARTNERSTACK_TRACKING_TOKEN")
        assert lane_of(shop).due_at == site.clock.at + timedelta(minutes=5)

    def test_is_retried_ever_less_often_but_at_least_every_hour(
        self, site: ConvertingSite, wrong: DeliveryLoop
    ) -> None:
        shop, tries = sign_up(site), []
        for _ in range(10):
            site.push(wrong)
            tries.append(site.clock.at)
            due = lane_of(shop).due_at
            assert due is not None
            site.clock.at = due
        waits = [int((later - before).total_seconds()) for before, later in pairwise(tries)]
        assert waits == [300, 300, 600, 1200, 2400, 3600, 3600, 3600, 3600]

    def test_has_no_effect_once_it_is_corrected(self, site: ConvertingSite, wrong: DeliveryLoop) -> None:
        shop = sign_up(site)
        paid = payment(shop)
        site.push(wrong)
        site.push_for(minutes=10)
        assert site.effects("conversions.create") == {key_of(shop): 1}
        assert site.effects("transactions.create") == {f"payment-{paid.pk}": 1}

    def test_leaves_a_conversion_in_doubt(self, site: ConvertingSite, wrong: DeliveryLoop) -> None:
        site.sandbox.behaviour.phantom = 1
        sign_up(site)
        site.push()
        site.clock.advance(minutes=16)
        site.push(wrong)
        assert (message("conversions.create").state, message("conversions.create").attempts) == ("unknown", 1)
        site.sandbox.behaviour.phantom = 0
        site.push_for(hours=2)
        assert message("conversions.create").state == "delivered"


def test_wrong_keys_stop_conversions_because_nothing_could_be_looked_up(site: ConvertingSite) -> None:
    sign_up(site)
    account(partner_key="gstest", name="other")
    worker = site.new_worker(keys=("pk_wrong", "sk_wrong"))
    site.push(worker)
    assert "delivered" not in states().values()


class Watch:
    """Records customers whose payment or event was sent before a look-up had found them."""

    def __init__(self, site: ConvertingSite) -> None:
        self.found: set[str] = set()
        self.too_early: list[str] = []
        self.handle = site.sandbox.handle
        site.sandbox.handle = self.see  # type: ignore[method-assign]

    def see(self, method: str, target: str, headers: Any, body: bytes = b"") -> Any:
        reply = self.handle(method, target, headers, body)
        if method == "GET" and "/customers/" in target and reply.status == 200:
            self.found.add(target.rpartition("/")[2])
        if method == "POST" and target.endswith(("/transactions", "/actions")):
            sent = json.loads(body)
            key = sent.get("target_key") or sent["customer_external_key"]
            self.too_early += [key] if key not in self.found else []
        return reply


def after_success(site: ConvertingSite) -> list[str]:
    """The customers for whom a conversion was sent although an earlier conversion had created them."""
    created: set[str] = set()
    again = []
    for each in site.sandbox.conversions:
        again += [each.customer_key] if each.customer_key in created else []
        created |= {each.customer_key} if each.created else set()
    return again


@pytest.mark.starts_first
def test_with_phantoms_and_lost_answers_each_customer_is_created_once_and_first(
    site: ConvertingSite,
) -> None:
    site.sandbox.behaviour.change(phantom=0.2, conversion_lag=(0, 360))
    site.sandbox.faults.add("lost", rate=0.05)
    watch = Watch(site)
    keys = [busy_customer(site, number) for number in range(CUSTOMERS)]
    for _ in range(6):
        site.push_for(hours=1, step=15)
        for unclear in messages("actions.create", state="held"):
            actions.mark_delivered(unclear)
    assert {each.state for each in messages()} == {"delivered"}
    assert site.effects("conversions.create") == dict.fromkeys(keys, 1)
    assert Counter(site.effects("transactions.create").values()) == {1: CUSTOMERS}
    assert after_success(site) == []
    assert watch.too_early == []


def busy_customer(site: ConvertingSite, number: int) -> str:
    """Sign up, pay and cause an event at once. Returns the customer's key."""
    shop = sign_up(site, email=f"a{number}@customers.example")
    track.purchase(shop, amount=Decimal(number + 1), currency="USD", key=f"inv_{number}")
    track.event(shop, "demo", key=f"demo-{number}")
    return key_of(shop)
