from __future__ import annotations

import pytest

from tests.outbox.site import Site, account, lane_of, payment
from tests.shop.models import Account


@pytest.fixture
def refused(site: Site) -> Account:
    """A customer whose creation PartnerStack refused, with a payment."""
    shop = account()
    payment(shop)
    site.sandbox.faults.add("status", status=400, method="POST", times=1)
    site.push()
    assert lane_of(shop).status == "blocked"
    return shop
