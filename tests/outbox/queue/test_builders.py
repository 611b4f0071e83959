"""The messages that objects of the site are turned into."""

from __future__ import annotations

from decimal import Decimal

import pytest

from django_partnerstack.models import OutboxMessage
from tests.shop.models import Account, Payment

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("total", [49, "49", "49.00", Decimal("49")])
def test_a_payment_is_reported_with_the_amount_that_the_database_stores(total: object) -> None:
    account = Account.objects.create(email="ada@shop.example")
    payment = Payment.objects.create(account=account, total=total)
    message = OutboxMessage.objects.get(subject=f"payment-{payment.pk}")
    assert message.payload["amount"] == 4900
    assert payment.total == total
