"""Correcting a payment that changed after it was reported."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from django_partnerstack import sources, track
from django_partnerstack.exceptions import InvalidTransition, RefundError
from django_partnerstack.models import OutboxMessage, Transaction
from django_partnerstack.outbox.backfill import backfill
from django_partnerstack.outbox.control import actions
from django_partnerstack.outbox.control.correction import correct_payment
from django_partnerstack.outbox.queue.retention import prune
from tests.outbox.site import Site, account, message, messages, payment
from tests.shop.models import Payment

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


CHANGES: list[tuple[dict[str, Any], tuple[str, str]]] = [
    ({"total": Decimal("99.00")}, ("4900 USD", "9900 USD")),
    ({"currency": "EUR"}, ("4900 USD", "4900 EUR")),
    ({"account": None}, ("4900 USD", "4900 USD")),
]


@pytest.mark.parametrize(("changes", "contents"), CHANGES)
def test_a_changed_payment_is_corrected_and_refunded(
    site: Site, changes: dict[str, Any], contents: tuple[str, str]
) -> None:
    first, other = account(), account(email="b@customers.example")
    paid = payment(first)
    site.push()
    for name, value in changes.items():
        setattr(paid, name, value or other)
    paid.save()
    wrong = messages("transactions.create")[-1]
    assert wrong.state == "dead"
    reported, now = wrong.reason.split("; ")
    assert f"{contents[0]} (minor units) of customer 'shop-account-{first.pk}'" in reported
    assert f"{contents[1]} (minor units) of customer 'shop-account-{paid.account.pk}'" in now
    correct_payment(wrong)
    site.push()
    key, amount = f"payment-{paid.pk}", int(paid.total * 100)
    assert at_partnerstack(site) == [(f"{key}~r1", amount, paid.account.email)]
    count = len(messages())
    paid.save()
    done = backfill(Payment, mode="test", on_page=lambda result: None)
    assert (done.known, done.differing, done.failed) == (1, 0, 0)
    assert len(messages()) == count
    track.refund(key, amount=900)
    site.push()
    assert at_partnerstack(site) == [(f"{key}~r2", amount - 900, paid.account.email)]


@pytest.mark.parametrize("emptied", [False, True])
def test_a_corrected_payment_is_refunded_after_its_messages_were_pruned(
    site: Site, reported: Any, emptied: bool
) -> None:
    correct_payment(differing(amount=5900))
    site.push()
    prune("test", timezone.now() + timedelta(days=1))
    if emptied:
        Transaction.objects.all().delete()
    track.refund("inv_1", amount=900)
    site.push()
    assert at_partnerstack(site) == [("inv_1~r2", 5000, reported.email)]


@pytest.mark.parametrize("emptied", [False, True])
@pytest.mark.parametrize("corrected", [False, True])
def test_what_a_refund_left_is_not_corrected_after_its_messages_were_pruned(
    site: Site, reported: Any, corrected: bool, emptied: bool
) -> None:
    wrong = differing(amount=5900)
    if corrected:
        correct_payment(differing(amount=6900))
    track.refund("inv_1", amount=900)
    site.push()
    prune("test", timezone.now() + timedelta(days=1))
    if emptied:
        Transaction.objects.all().delete()
    with pytest.raises(RefundError, match="refunded in part"):
        correct_payment(wrong)


def test_a_payment_that_changes_to_and_fro_is_corrected_each_time(site: Site) -> None:
    paid = payment(account())
    site.push()
    for number, total in enumerate(("59", "49", "59", "49"), start=1):
        paid.total = Decimal(total)
        for _ in range(2):
            paid.save()
        [wrong] = messages("transactions.create", state="dead")
        correct_payment(wrong)
        site.push()
        [(key, amount, _email)] = at_partnerstack(site)
        assert (key, amount) == (f"payment-{paid.pk}~r{number}", int(total) * 100)


def test_a_payment_under_the_key_of_another_object_corrects_nothing(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = sources.transactions[Payment]
    monkeypatch.setitem(sources.transactions, Payment, lambda paid: replace(usual(paid), key="inv_1"))
    first = payment(account())
    site.push()
    payment(first.account, "99.00")
    [other] = messages("transactions.create", state="dead")
    with pytest.raises(InvalidTransition, match="does not differ from a reported payment"):
        correct_payment(other)
    with pytest.raises(InvalidTransition, match="another message reports its key"):
        actions.retry(other)
    site.push()
    assert at_partnerstack(site) == [("inv_1", 4900, first.account.email)]
