"""From a click on a partner's link to the payment at PartnerStack, all of it over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from django_partnerstack.connection import get_client
from django_partnerstack.models import Attribution, OutboxMessage, State
from django_partnerstack.outbox.delivery.loop import DeliveryLoop
from django_partnerstack.sandbox import TEST_KEYS, TEST_TRACKING_TOKEN, Sandbox
from tests.outbox.site import StillClock

from .visitors import Chromium, Visitor, chromium, missing

pytestmark = pytest.mark.django_db(transaction=True)

PARTNER = "troycooper1364"

AnyVisitor = Visitor | Chromium


class Journey:
    """A partner's link that leads to the example site, and a worker whose clock the test moves."""

    link: str

    def __init__(self, site: str) -> None:
        self.clock = StillClock()
        self.partnerstack = Sandbox(site=site, clock=lambda: self.clock.now().timestamp())
        self.partnerstack.create("partnerships", partner_key=PARTNER)

    def work_for(self, minutes: int = 0) -> None:
        """Deliver everything that becomes due in that time."""
        worker = DeliveryLoop(get_client(), mode="test", clock=self.clock)
        for _ in range(minutes + 1):
            worker.run()
            self.clock.advance(minutes=1)

    @property
    def customers(self) -> list[tuple[str, str]]:
        """The customers at PartnerStack, each with its partner."""
        return [(row["email"], row["partner_key"]) for row in self.partnerstack.objects("customers")]

    @property
    def amounts(self) -> list[int]:
        return [row["amount"] for row in self.partnerstack.objects("transactions")]


@pytest.fixture
def journey(live_server: Any, settings: Any) -> Iterator[Journey]:
    # So that cookies are sent over http, too.
    settings.DEBUG = True
    settings.PARTNERSTACK_PUBLIC_KEY, settings.PARTNERSTACK_SECRET_KEY = TEST_KEYS
    journey = Journey(f"{live_server.url}/")
    with journey.partnerstack.serve() as server:
        settings.PARTNERSTACK_API_URL = f"{server.url}/api/v2"
        settings.PARTNERSTACK_CONVERSION_URL = f"{server.url}/conversion/xid"
        journey.link = f"{server.url}/l/{PARTNER}"
        yield journey


@pytest.fixture
def visitor() -> Visitor:
    return Visitor()


def look_around(visitor: AnyVisitor, link: str) -> None:
    """Open the landing page and three other pages."""
    visitor.open(link)
    for page in ("Tour", "Pricing", "Log in"):
        visitor.follow(page)


def sign_up_and_pay(visitor: AnyVisitor) -> None:
    visitor.follow("Sign up")
    visitor.send("Create the account", name="Ada Ltd", email="ada@example.com", password="correct horse 9")
    assert f"Referred by <strong>{PARTNER}</strong>" in visitor.text
    visitor.send("Pay", amount="49.00")
    assert "You have paid 49.00 USD." in visitor.text


def test_a_click_becomes_a_customer_of_the_partner_with_a_payment(journey: Journey, visitor: Visitor) -> None:
    look_around(visitor, journey.link)
    sign_up_and_pay(visitor)
    journey.work_for()
    assert journey.customers == [("ada@example.com", PARTNER)]
    assert journey.amounts == [4900]
    assert Attribution.objects.get().method == "cookie"


def test_a_click_is_converted_and_the_payment_waits_for_its_customer(
    journey: Journey, visitor: Visitor, settings: Any
) -> None:
    settings.PARTNERSTACK_TRACKING_TOKEN = TEST_TRACKING_TOKEN
    journey.partnerstack.behaviour.conversion_lag = 360
    look_around(visitor, journey.link)
    sign_up_and_pay(visitor)
    journey.work_for(minutes=4)
    assert journey.amounts == []
    assert list(OutboxMessage.objects.order_by("pk").values_list("state", flat=True)) == [
        State.UNCONFIRMED,
        State.SCHEDULED,
    ]
    journey.work_for(minutes=10)
    [conversion] = journey.partnerstack.conversions
    assert (conversion.created, conversion.xid) == (True, journey.partnerstack.clicks[0].xid)
    assert journey.customers == [("ada@example.com", PARTNER)]
    assert journey.amounts == [4900]


def test_the_click_survives_an_identity_provider(journey: Journey, visitor: Visitor) -> None:
    look_around(visitor, journey.link)
    visitor.follow("Sign up")
    visitor.follow("sign up with Example ID")
    visitor.send("Continue to Tidy Ledger", name="Grace Ltd", email="grace@example.com")
    assert f"Referred by <strong>{PARTNER}</strong>" in visitor.text
    journey.work_for()
    assert journey.customers == [("grace@example.com", PARTNER)]


def test_a_customer_without_a_partner_costs_no_request(
    journey: Journey, visitor: Visitor, live_server: Any
) -> None:
    visitor.open(live_server.url)
    visitor.follow("Sign up")
    visitor.send("Create the account", name="Bob Ltd", email="bob@example.com", password="correct horse 9")
    assert "Signed up without a partner." in visitor.text
    journey.work_for()
    assert journey.customers == []


@pytest.mark.skipif(bool(missing()), reason=f"not installed: {missing()}")
def test_the_same_in_a_browser(journey: Journey, tmp_path: Path) -> None:
    with chromium(str(tmp_path)) as visitor:
        look_around(visitor, journey.link)
        sign_up_and_pay(visitor)
    journey.work_for()
    assert journey.customers == [("ada@example.com", PARTNER)]
    assert journey.amounts == [4900]
