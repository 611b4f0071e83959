"""
A new operation is one declaration: ``offers.create``, which reports an offer as a deal of PartnerStack's.

Nothing else is changed here, and everything that an operation can do works for it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.dispatch import Signal
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from django_partnerstack.client import Client, DealRecord
from django_partnerstack.exceptions import NotFound
from django_partnerstack.models import Deal, OutboxMessage
from django_partnerstack.outbox.control import actions
from django_partnerstack.outbox.operations import OPERATIONS, Operation
from django_partnerstack.outbox.queue.messages import enqueue
from django_partnerstack.outbox.queue.new_message import NewMessage, customer_lane
from django_partnerstack.outbox.queue.retention import prune
from tests.outbox.site import Site, account, message, messages
from tests.shop.models import Account

pytestmark = pytest.mark.django_db

offer_pushed = Signal()


def find_offer(client: Client, content: dict[str, Any], *span: Any) -> DealRecord | None:
    try:
        return client.deals.get(content["external_key"])
    except NotFound:
        return None


OFFER = Operation(
    name="offers.create",
    send=lambda client, content: client.deals.create(**content),
    find=find_offer,
    match_fields=("external_key", "amount"),
    key_field="external_key",
    once=True,
    model=Deal,
    blocks_dependents=True,
    waits_for_subject=True,
    signal=offer_pushed,
)


@pytest.fixture(autouse=True)
def offers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(OPERATIONS, OFFER.name, OFFER)


@pytest.fixture
def shop(site: Site) -> Account:
    """A customer that PartnerStack has."""
    shop = account()
    site.push()
    return shop


def offer(shop: Account, key: str = "offer-1", subject: str = "") -> bool:
    content = {"partner_key": "gstest", "external_key": key, "account_name": "Shop", "amount": 4900}
    lane = customer_lane(f"shop-account-{shop.pk}")
    new = NewMessage(operation="offers.create", lane=lane, subject=subject or key, payload=content)
    return enqueue(new, mode="test")


def deals(site: Site) -> list[str]:
    return [each["external_key"] for each in site.sandbox.objects("deals")]


def test_it_is_queued_only_once(site: Site, shop: Account) -> None:
    assert offer(shop)
    assert not offer(shop)
    site.push()
    assert not offer(shop)


def test_it_is_delivered_and_stored_in_its_mirror(site: Site, shop: Account) -> None:
    offer(shop)
    assert site.push() == {"delivered": 1}
    assert deals(site) == ["offer-1"]
    assert Deal.objects.get().key in message("offers.create").attempt_set.get().answer


def test_it_is_looked_up_when_its_answer_is_lost(site: Site, shop: Account) -> None:
    offer(shop)
    site.fail("lost")
    site.push()
    assert message("offers.create").state == "unknown"
    site.push_for(minutes=20)
    assert message("offers.create").reason == "Found at PartnerStack; an earlier attempt got through."
    assert site.effects("deals.create") == {"offer-1": 1}


def test_it_fails_if_partnerstack_has_it_with_other_content(site: Site, shop: Account) -> None:
    site.sandbox.create("deals", external_key="offer-1", amount=1, partner_key="gstest")
    offer(shop)
    site.fail("status", status=500, times=1)
    site.push_for(minutes=20)
    assert message("offers.create").state == "dead"
    assert "another amount: 1, not 4900" in message("offers.create").reason


def test_it_is_put_on_hold_if_it_cannot_be_looked_up(
    site: Site, shop: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(OPERATIONS, OFFER.name, replace(OFFER, find=None))
    offer(shop)
    site.fail("lost")
    site.push_for(days=1)
    assert message("offers.create").state == "held"
    assert site.effects("deals.create") == {"offer-1": 1}


def test_it_is_sent_again_if_that_is_safe(site: Site, shop: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(OPERATIONS, OFFER.name, replace(OFFER, idempotent=True))
    offer(shop)
    site.fail("reset")
    site.push_for(minutes=1)
    assert message("offers.create").state == "delivered"
    assert "GET /deals/offer-1" not in site.sent


def test_it_blocks_later_messages_about_the_same_subject(site: Site, shop: Account) -> None:
    offer(shop)
    actions.hold(message("offers.create"))
    offer(shop, key="offer-1-b", subject="offer-1")
    site.push()
    assert [each.state for each in messages("offers.create")] == ["held", "blocked"]
    actions.release(messages("offers.create")[0])
    site.push()
    assert deals(site) == ["offer-1-b", "offer-1"]


def test_it_depends_on_its_customer(site: Site) -> None:
    shop = account()
    offer(shop)
    site.sandbox.faults.add("status", status=400, path="/api/v2/customers", times=1)
    site.push()
    assert message("offers.create").state == "blocked"
    actions.retry(message("customers.create"))
    site.push()
    assert deals(site) == ["offer-1"]


def test_it_is_signalled(site: Site, shop: Account) -> None:
    received: list[tuple[str, str, int]] = []

    def receive(operation: str, key: str, record: DealRecord, **kwargs: Any) -> None:
        received.append((operation, key, record.raw["amount"]))

    offer_pushed.connect(receive)
    offer(shop)
    site.push()
    offer_pushed.disconnect(receive)
    assert received == [("offers.create", "offer-1", 4900)]


@pytest.mark.parametrize("once", [False, True])
def test_it_is_pruned_and_its_key_is_remembered(
    site: Site, shop: Account, monkeypatch: pytest.MonkeyPatch, once: bool
) -> None:
    monkeypatch.setitem(OPERATIONS, OFFER.name, replace(OFFER, once=once))
    offer(shop)
    site.push()
    prune("test", timezone.now() + timedelta(days=1))
    assert messages("offers.create") == []
    assert offer(shop) != once


def test_it_is_not_queued_if_its_mirror_has_its_key(shop: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(OPERATIONS, OFFER.name, replace(OFFER, once_in_mirror=True))
    Deal.objects.create(mode="test", key="deal_1", external_key="offer-1")
    assert not offer(shop)
    assert offer(shop, "offer-2")


def test_the_admin_lists_and_filters_it(site: Site, shop: Account, admin_client: Browser) -> None:
    offer(shop)
    page = admin_client.get(reverse("admin:partnerstack_outboxmessage_changelist"))
    assert "?operation=offers.create" in page.rendered_content  # type: ignore[attr-defined]
    page = admin_client.get(page.request["PATH_INFO"], {"operation": "offers.create"})
    assert list(page.context["cl"].queryset) == list(OutboxMessage.objects.filter(subject="offer-1"))
