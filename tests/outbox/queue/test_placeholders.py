"""Mirror rows of what PartnerStack does not have yet."""

from __future__ import annotations

import pytest

from django_partnerstack import track
from django_partnerstack.models import Transaction
from tests.outbox.site import Site, account

pytestmark = pytest.mark.django_db


def test_a_payment_and_its_balance_are_both_in_the_mirror(site: Site) -> None:
    track.purchase(account(partner_key=""), amount=4900, currency="USD", key="inv_1")
    track.refund("inv_1", amount=900)
    site.push()
    assert dict(Transaction.objects.values_list("key", "amount")) == {"inv_1": 4900, "inv_1-r1": 4000}
