"""Correcting a payment that changed after it was reported."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from django_partnerstack import sources, track
from django_partnerstack.exceptions import InvalidTransition, RefundError
from django_partnerstack.models import OutboxMessage, ReportedKey, Transaction
from django_partnerstack.outbox.backfill import backfill
from django_partnerstack.outbox.control import actions
from django_partnerstack.outbox.payments.corrections import correct_payment
from django_partnerstack.outbox.queue.lanes import WAITS_FOR_DELETION
from django_partnerstack.outbox.queue.retention import prune
from tests.outbox.site import Site, account, message, messages, payment
from tests.shop.models import Account, Payment

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


def pay(paid: Payment, total: str) -> None:
    paid.total = Decimal(total)
    paid.save()


def open_differences() -> list[OutboxMessage]:
    return messages("transactions.create", state="dead")


def save_again(paid: Payment) -> None:
    """Saving what was reported queues nothing, and leaves nothing to correct."""
    count = len(messages())
    Payment.objects.get(pk=paid.pk).save()
    assert len(messages()) == count
    assert open_differences() == []


def test_a_payment_has_one_open_difference_however_often_it_changes(site: Site) -> None:
    paid = payment(account())
    site.push()
    for total in ("59", "69", "59", "69"):
        pay(paid, total)
        [wrong] = open_differences()
        assert wrong.payload["amount"] == int(total) * 100
    correct_payment(wrong)
    site.push()
    assert [amount for _, amount, _ in at_partnerstack(site)] == [6900]
    save_again(paid)


def test_a_payment_that_returns_to_what_was_reported_leaves_nothing_to_correct(site: Site) -> None:
    paid = payment(account())
    site.push()
    pay(paid, "59")
    pay(paid, "49")
    assert open_differences() == []
    assert messages("transactions.create")[-1].reason.startswith("Withdrawn: the payment agrees")
    save_again(paid)
    pay(paid, "59")
    assert len(open_differences()) == 1


def test_a_backfill_withdraws_a_difference_that_update_has_ended(site: Site) -> None:
    paid = payment(account())
    site.push()
    pay(paid, "59")
    Payment.objects.update(total=Decimal("69"))
    assert backfill(Payment, mode="test", on_page=lambda result: None).differing == 1
    assert [each.payload["amount"] for each in open_differences()] == [6900]
    Payment.objects.update(total=Decimal("49"))
    assert backfill(Payment, mode="test", on_page=lambda result: None).known == 1
    assert open_differences() == []


def test_a_call_that_repeats_the_report_does_not_hide_that_the_object_differs(site: Site) -> None:
    paid = payment(account())
    site.push()
    pay(paid, "59")
    track.purchase(paid.account, amount=4900, currency="USD", key=f"payment-{paid.pk}")
    assert len(open_differences()) == 1


@pytest.mark.parametrize("operation", ["transactions.delete", "transactions.create"])
def test_a_cancelled_correction_leaves_the_payment_as_it_was_reported(site: Site, operation: str) -> None:
    paid = payment(account())
    site.push()
    pay(paid, "59")
    correct_payment(open_differences()[0])
    actions.cancel(messages(operation, subject=f"payment-{paid.pk}")[-1])
    assert site.push() == {}
    assert [amount for _, amount, _ in at_partnerstack(site)] == [4900]
    pay(paid, "59")
    assert len(open_differences()) == 1
    pay(paid, "49")
    save_again(paid)
    pay(paid, "59")
    correct_payment(open_differences()[0])
    site.push()
    assert [amount for _, amount, _ in at_partnerstack(site)] == [5900]
    save_again(paid)


@pytest.mark.parametrize("operation", ["transactions.delete", "transactions.create"])
def test_a_cancelled_second_correction_leaves_the_first(site: Site, operation: str) -> None:
    paid = payment(account())
    site.push()
    for total in ("59", "69"):
        pay(paid, total)
        correct_payment(open_differences()[0])
        if total == "59":
            site.push()
            prune("test", timezone.now() + timedelta(days=1))
    actions.cancel(messages(operation, subject=f"payment-{paid.pk}")[-1])
    site.push()
    assert [amount for _, amount, _ in at_partnerstack(site)] == [5900]
    pay(paid, "59")
    save_again(paid)
    pay(paid, "69")
    correct_payment(open_differences()[0])
    site.push()
    assert [amount for _, amount, _ in at_partnerstack(site)] == [6900]


def test_cancelling_the_first_of_two_queued_corrections_cancels_both(site: Site) -> None:
    paid = payment(account())
    site.push()
    for total in ("59", "69"):
        pay(paid, total)
        correct_payment(open_differences()[0])
    actions.cancel(messages("transactions.delete")[0])
    site.push()
    assert [amount for _, amount, _ in at_partnerstack(site)] == [4900]
    pay(paid, "49")
    save_again(paid)


def test_a_correction_to_another_customer_is_cancelled_as_a_whole(site: Site) -> None:
    first, other = account(), account(email="b@customers.example")
    paid = payment(first)
    site.push()
    paid.account = other
    paid.save()
    correct_payment(open_differences()[0])
    actions.cancel(messages("transactions.delete")[0])
    site.push()
    assert at_partnerstack(site) == [(f"payment-{paid.pk}", 4900, first.email)]


@dataclass
class Moved:
    """A reported payment that a correction moves to another customer."""

    payment: Payment
    deletion: OutboxMessage
    creation: OutboxMessage

    @property
    def state(self) -> str:
        self.creation.refresh_from_db()
        return self.creation.state


def move(paid: Payment, customer: Account) -> Moved:
    """Give a payment to another customer, and correct what was reported. Nothing is sent."""
    paid.account = customer
    paid.save()
    correct_payment(open_differences()[-1])
    created = messages("transactions.create", subject=f"payment-{paid.pk}")[-1]
    return Moved(paid, messages("transactions.delete")[-1], created)


@pytest.fixture
def moved(site: Site) -> Moved:
    first, other = account(), account(email="b@customers.example")
    paid = payment(first)
    site.push()
    return move(paid, other)


def test_a_payment_is_not_created_for_its_new_customer_while_the_old_one_has_it(
    site: Site, moved: Moved
) -> None:
    site.fail("status", method="DELETE", status=400)
    site.push()
    paid = moved.payment
    assert moved.state == "blocked"
    assert moved.creation.reason == WAITS_FOR_DELETION
    assert at_partnerstack(site) == [(f"payment-{paid.pk}", 4900, "a@customers.example")]
    for action in (actions.hold, actions.release):
        action(moved.creation)
        site.push()
    assert moved.state == "blocked"
    actions.retry(moved.deletion)
    site.push()
    assert at_partnerstack(site) == [(f"payment-{paid.pk}~r1", 4900, "b@customers.example")]


def test_a_moved_payment_is_created_after_an_operator_has_deleted_the_old_one(
    site: Site, moved: Moved
) -> None:
    site.fail("status", method="DELETE", status=400)
    site.push()
    moved.deletion.refresh_from_db()
    actions.mark_delivered(moved.deletion)
    site.push()
    assert moved.state == "delivered"


def test_a_moved_payment_waits_while_its_deletion_is_retried(site: Site, moved: Moved) -> None:
    site.fail("status", method="DELETE", status=503)
    site.push()
    assert moved.state == "blocked"
    site.push_for(minutes=5)
    assert moved.state == "delivered"
    assert len(at_partnerstack(site)) == 1


def test_a_moved_payment_is_refunded_before_anything_was_sent(site: Site, moved: Moved) -> None:
    track.refund(f"payment-{moved.payment.pk}")
    assert site.push()["delivered"] == 3
    assert at_partnerstack(site) == []


def test_two_queued_moves_follow_each_other(site: Site, moved: Moved) -> None:
    again = move(moved.payment, Account.objects.get(email="a@customers.example"))
    most = 0
    while site.push(limit=1):
        most = max(most, len(at_partnerstack(site)))
    assert most == 1
    assert again.state == "delivered"
    assert at_partnerstack(site) == [(f"payment-{moved.payment.pk}~r2", 4900, "a@customers.example")]


def test_a_payment_of_an_organic_customer_moves_to_a_customer_with_a_partner(site: Site) -> None:
    paid = payment(account(partner_key=""))
    other = account(email="b@customers.example")
    site.push()
    assert move(paid, other).deletion.state == "new"
    site.push()
    assert at_partnerstack(site) == [(f"payment-{paid.pk}~r1", 4900, "b@customers.example")]


def test_a_payment_of_an_organic_customer_moves_if_the_new_customer_is_sequenced_first(site: Site) -> None:
    paid = payment(account(partner_key=""))
    other = account(email="b@customers.example")
    site.push()
    moved = move(paid, other)
    actions.hold(moved.creation)
    actions.release(moved.creation)
    assert moved.state == "blocked"
    site.push()
    assert moved.state == "delivered"


def test_a_payment_moves_to_an_organic_customer_who_gets_a_partner(site: Site) -> None:
    paid, organic = payment(account()), account(partner_key="", email="b@customers.example")
    site.push()
    moved = move(paid, organic)
    site.fail("status", method="DELETE", status=400)
    site.push()
    assert moved.state == "organic"
    track.assign(f"shop-account-{organic.pk}", "gstest", by="an operator")
    site.push()
    assert moved.state == "blocked"
    actions.retry(messages("transactions.delete")[-1])
    site.push()
    assert at_partnerstack(site) == [(f"payment-{paid.pk}~r1", 4900, "b@customers.example")]


def test_a_refund_of_what_moved_to_an_organic_customer_stays_organic(site: Site) -> None:
    paid, organic = payment(account()), account(partner_key="", email="b@customers.example")
    site.push()
    moved = move(paid, organic)
    actions.hold(moved.creation)
    track.refund(f"payment-{paid.pk}")
    refund = messages("transactions.delete")[-1]
    actions.hold(refund)
    actions.release(refund)
    assert refund.state == "blocked"
    actions.release(moved.creation)
    site.push()
    refund.refresh_from_db()
    assert (moved.state, refund.state) == ("organic", "organic")


@pytest.mark.parametrize("pruned", [False, True])
def test_a_payment_whose_correction_was_cancelled_after_its_deletion_can_be_created_again(
    site: Site, pruned: bool
) -> None:
    paid = payment(account())
    site.push()
    pay(paid, "59")
    correct_payment(open_differences()[0])
    site.push(limit=1)
    if pruned:
        prune("test", timezone.now() + timedelta(days=1))
    actions.cancel(messages("transactions.create", payload__key=f"payment-{paid.pk}~r1")[0])
    site.push()
    assert at_partnerstack(site) == []
    for total in ("49", "59"):
        pay(paid, total)
        [wrong] = open_differences()
        assert "deleted at PartnerStack by a correction that was cancelled" in wrong.reason
    correct_payment(wrong)
    site.push()
    assert at_partnerstack(site) == [(f"payment-{paid.pk}~r2", 5900, paid.account.email)]
    save_again(paid)


def test_a_correction_that_partnerstack_refuses_is_replaced_by_the_next(site: Site) -> None:
    paid = payment(account())
    site.push()
    pay(paid, "59")
    correct_payment(open_differences()[0])
    site.push(limit=1)
    site.fail("status", status=400)
    site.push()
    [refused] = open_differences()
    assert refused.payload["key"] == f"payment-{paid.pk}~r1"
    pay(paid, "69")
    [wrong] = [each for each in open_differences() if each.pk != refused.pk]
    correct_payment(wrong)
    site.push()
    assert at_partnerstack(site) == [(f"payment-{paid.pk}~r2", 6900, paid.account.email)]
    save_again(paid)


def test_a_payment_that_only_the_mirror_has_is_corrected_in_the_same_way(site: Site) -> None:
    paid = payment(account())
    site.push()
    OutboxMessage.objects.filter(operation="transactions.create").delete()
    ReportedKey.objects.all().delete()
    pay(paid, "59")
    [wrong] = open_differences()
    assert "with another amount: 4900, not 5900" in wrong.reason
    with pytest.raises(InvalidTransition, match="another message reports its key"):
        actions.retry(wrong)
    pay(paid, "69")
    [wrong] = open_differences()
    correct_payment(wrong)
    site.push()
    assert at_partnerstack(site) == [(f"payment-{paid.pk}~r1", 6900, paid.account.email)]
    save_again(paid)
