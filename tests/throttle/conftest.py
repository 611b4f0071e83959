from __future__ import annotations

import pytest

from tests.outbox.conftest import site
from tests.outbox.site import Site, account

__all__ = ["customers", "site"]

#: How many customers are queued.
CUSTOMERS = 20


@pytest.fixture
def customers(site: Site) -> None:
    """Queued customers, each in a lane of its own."""
    for number in range(CUSTOMERS):
        account(email=f"{number}@customers.example")
