from __future__ import annotations

from typing import Any

import pytest

from tests.shop.models import Payment

from .site import Site, account, payment


@pytest.fixture(autouse=True)
def _attentive_router(settings: Any) -> None:
    """Notices a read from a replica, and a question about no model or object."""
    settings.DATABASE_ROUTERS = ["tests.routers.Attentive"]


@pytest.fixture
def site(db: None) -> Site:
    return Site()


@pytest.fixture
def paid(site: Site) -> Payment:
    """A queued payment of a customer that PartnerStack has."""
    shop = account()
    site.push()
    return payment(shop)
