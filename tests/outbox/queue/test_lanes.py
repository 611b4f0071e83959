"""Which messages are blocked by another, and when they are released."""

from __future__ import annotations

from datetime import timedelta

import pytest

from django_partnerstack import track
from django_partnerstack.models import OutboxMessage
from tests.outbox.site import Site, account, message, messages, payment
from tests.shop.models import Account

pytestmark = pytest.mark.django_db


def test_a_refused_customer_blocks_its_payments(site: Site, refused: Account) -> None:
    payment(refused)
    site.push()
    assert message("customers.create").state == "dead"
    assert {each.state for each in messages("transactions.create")} == {"blocked"}
    assert all("Depends on" in each.reason for each in messages("transactions.create"))


def test_a_late_partner_releases_the_payments_inside_the_window(site: Site) -> None:
    shop = account(partner_key="")
    old, recent = payment(shop), payment(shop)
    queued = OutboxMessage.objects.filter(source_pk=str(old.pk), source="shop.payment")
    queued.update(queued_at=site.clock.at - timedelta(days=91))
    site.push()
    shop.partner_key = "gstest"
    shop.save()
    site.push()
    assert site.effects("transactions.create") == {f"payment-{recent.pk}": 1}
    assert queued.get().state == "organic"
    assert "too long before" in queued.get().reason


def test_the_balance_of_a_payment_outside_the_window_is_not_sent(site: Site) -> None:
    shop = account(partner_key="")
    track.purchase(shop, amount=4900, currency="USD", key="inv_1")
    OutboxMessage.objects.update(queued_at=site.clock.at - timedelta(days=91))
    track.refund("inv_1", amount=900)
    site.push()
    shop.partner_key = "gstest"
    shop.save()
    site.push()
    track.refund("inv_1", amount=900)
    site.push()
    assert [request for request in site.sent if "/transactions" in request] == []
