from __future__ import annotations

from decimal import Decimal

import pytest

from django_partnerstack.models import OutboxMessage
from django_partnerstack.track import RefundError
from example_project.saas import billing
from example_project.saas.models import Account, Payment


def queued() -> list[tuple[str, str]]:
    return list(OutboxMessage.objects.order_by("pk").values_list("operation", "subject"))


def test_a_sign_up_is_queued_with_its_partner(account: Account) -> None:
    message = OutboxMessage.objects.get()
    assert message.payload == {
        "customer_key": f"saas-account-{account.pk}",
        "email": "ada@example.com",
        "name": "Ada Ltd",
        "partner_key": "partner1",
    }


def test_a_charge_is_queued_in_minor_units(account: Account) -> None:
    payment = billing.charge(account, Decimal("49.00"))
    message = OutboxMessage.objects.get(subject=payment.key)
    assert (message.operation, message.payload["amount"]) == ("transactions.create", 4900)


def test_a_refund_of_a_part_deletes_the_payment_and_reports_the_rest(account: Account) -> None:
    payment = billing.charge(account, Decimal("49.00"))
    billing.refund(payment, Decimal("9.00"))
    rest = OutboxMessage.objects.latest("pk")
    assert [operation for operation, _ in queued()[1:]] == [
        "transactions.create",
        "transactions.delete",
        "transactions.create",
    ]
    assert (rest.payload["key"], rest.payload["amount"]) == (f"{payment.key}~r1", 4000)


def test_a_refund_of_more_than_was_paid_changes_nothing(account: Account) -> None:
    payment = billing.charge(account, Decimal("49.00"))
    before = queued()
    with pytest.raises(RefundError):
        billing.refund(payment, Decimal("49.01"))
    payment.refresh_from_db()
    assert (payment.refunded, queued()) == (0, before)


def test_a_payment_is_reported_once_it_is_paid(account: Account) -> None:
    payment = Payment.objects.create(account=account, amount=Decimal("49.00"))
    assert ("transactions.create", payment.key) not in queued()
    payment.paid = True
    payment.save()
    assert ("transactions.create", payment.key) in queued()
