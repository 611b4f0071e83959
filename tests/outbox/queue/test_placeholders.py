"""Mirror rows of what PartnerStack does not have yet."""

from __future__ import annotations

import pytest

from django_partnerstack import track
from django_partnerstack.models import Transaction
from tests.outbox.site import Site, account, message, messages

pytestmark = pytest.mark.django_db


def test_a_payment_and_its_balance_are_both_in_the_mirror(site: Site) -> None:
    track.purchase(account(partner_key=""), amount=4900, currency="USD", key="inv_1")
    track.refund("inv_1", amount=900)
    site.push()
    assert dict(Transaction.objects.values_list("key", "amount")) == {"inv_1": 4900, "inv_1-r1": 4000}


def test_texts_too_long_for_the_mirror_do_not_stop_other_customers(site: Site) -> None:
    shop, other = account(), account(email="b@customers.example")
    track.signup(shop, name="n" * 300, email=f"{'e' * 300}@customers.example", partner_key="p" * 300)
    site.push()
    assert message("customers.create", source_pk=str(other.pk)).state == "delivered"
    assert {each.state for each in messages(source_pk=str(shop.pk))} == {"delivered", "dead"}
