"""Correcting a payment that changed after it was reported."""

from __future__ import annotations

from typing import Any

import pytest

from django_partnerstack import track
from django_partnerstack.exceptions import InvalidTransition, RefundError
from django_partnerstack.models import OutboxMessage
from django_partnerstack.outbox.control import actions
from django_partnerstack.outbox.control.correction import correct_payment
from tests.outbox.site import Site, account, message, messages

pytestmark = pytest.mark.django_db


def differing(**changes: Any) -> OutboxMessage:
    """What is left of an attempt to report other content under the key of a reported payment."""
    reported = messages("transactions.create")[0]
    return OutboxMessage.objects.create(
        mode="test",
        lane=reported.lane,
        operation="transactions.create",
        payload={**reported.payload, **changes},
        queued_at=reported.queued_at,
        state="dead",
        reason="It differs.",
    )


def at_partnerstack(site: Site) -> list[tuple[str, int, str]]:
    rows = site.sandbox.objects("transactions")
    return [(each["key"], each["amount"], each["customer"]["email"]) for each in rows]


@pytest.fixture
def reported(site: Site) -> Any:
    """A customer whose payment of 49.00 was reported as inv_1."""
    shop = account()
    track.purchase(shop, amount=4900, currency="USD", key="inv_1")
    site.push()
    return shop


def test_the_payment_is_replaced_like_after_a_refund(site: Site, reported: Any) -> None:
    wrong = differing(amount=5900)
    correct_payment(wrong)
    site.push()
    assert at_partnerstack(site) == [("inv_1~r1", 5900, reported.email)]
    assert site.effects("transactions.delete") == {"inv_1": 1}
    assert wrong.state == "cancelled"
    assert wrong.reason == "Replaced by a correction: PartnerStack gets it under the key inv_1~r1."


def test_a_payment_is_corrected_twice_and_refunded(site: Site, reported: Any) -> None:
    for amount in (5900, 6900):
        correct_payment(differing(amount=amount))
        site.push()
    assert at_partnerstack(site) == [("inv_1~r2", 6900, reported.email)]
    track.refund("inv_1", amount=900)
    site.push()
    assert at_partnerstack(site) == [("inv_1~r3", 6000, reported.email)]


def test_a_payment_moves_to_another_customer(site: Site, reported: Any) -> None:
    other = account(email="b@customers.example")
    site.push()
    key = messages("customers.create")[-1].subject
    correct_payment(differing(customer_external_key=key))
    site.push()
    assert at_partnerstack(site) == [("inv_1~r1", 4900, other.email)]


def test_a_payment_that_was_refunded_is_not_corrected(site: Site, reported: Any) -> None:
    wrong = differing(amount=5900)
    track.refund("inv_1", amount=900)
    with pytest.raises(RefundError, match="refunded in part"):
        correct_payment(wrong)
    track.refund("inv_1")
    with pytest.raises(RefundError, match="refunded already"):
        correct_payment(wrong)
    wrong.refresh_from_db()
    assert wrong.state == "dead"


def test_only_a_message_that_differs_from_a_reported_payment_corrects_it(site: Site, reported: Any) -> None:
    with pytest.raises(InvalidTransition, match="does not differ from a reported payment"):
        correct_payment(message("transactions.create"))


@pytest.mark.parametrize("action", [actions.retry, actions.mark_delivered])
def test_a_differing_message_is_never_sent_itself(site: Site, reported: Any, action: Any) -> None:
    wrong = differing(amount=5900)
    with pytest.raises(InvalidTransition, match="another message reports its key"):
        action(wrong)
    actions.cancel(wrong)
    site.push()
    assert at_partnerstack(site) == [("inv_1", 4900, reported.email)]
