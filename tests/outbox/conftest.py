from __future__ import annotations

import pytest

from tests.shop.models import Payment

from .site import Site, account, payment


@pytest.fixture
def site(db: None) -> Site:
    return Site()


@pytest.fixture
def paid(site: Site) -> Payment:
    """A queued payment of a customer that PartnerStack has."""
    shop = account()
    site.push()
    return payment(shop)
