"""Refunds: the payment is deleted at PartnerStack, and its balance reported again."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from django_partnerstack import track
from django_partnerstack.exceptions import InvalidArgument, KeyCollision
from django_partnerstack.models import ReportedKey, Transaction
from django_partnerstack.outbox.control import actions
from django_partnerstack.outbox.delivery.outcome import LONGEST_DELAY
from django_partnerstack.outbox.keys import LONGEST_KEY
from django_partnerstack.outbox.payments.balance import refundable_balance
from django_partnerstack.outbox.payments.refunds import refund_messages
from django_partnerstack.outbox.queue.messages import enqueue
from django_partnerstack.outbox.queue.retention import prune
from django_partnerstack.track import RefundError
from tests.outbox.site import Site, account, message, messages, states
from tests.shop.models import Account

pytestmark = pytest.mark.django_db

#: How long after an attempt "not found" is not trusted.
GRACE = timedelta(seconds=900)


@pytest.fixture
def shop() -> Account:
    return account()


def buy(shop: Account, key: str = "inv_1", amount: Any = Decimal("49.00")) -> None:
    assert track.purchase(shop, amount=amount, currency="USD", key=key)


def amounts(site: Site) -> dict[str, int]:
    """The payments that PartnerStack has, by key."""
    return {each["key"]: each["amount"] for each in site.sandbox.objects("transactions")}


def test_a_full_refund_deletes_the_payment(site: Site, shop: Account) -> None:
    buy(shop)
    site.push()
    track.refund("inv_1")
    site.push()
    assert amounts(site) == {}
    assert site.effects("transactions.delete") == {"inv_1": 1}


def test_a_partial_refund_reports_the_balance_under_a_new_key(site: Site, shop: Account) -> None:
    buy(shop)
    track.refund("inv_1", amount=Decimal("9.00"))
    site.push()
    assert amounts(site) == {"inv_1~r1": 4000}


def test_a_payment_is_refunded_in_several_parts(site: Site, shop: Account) -> None:
    buy(shop)
    for part in (900, Decimal("10.00")):
        track.refund("inv_1", amount=part)
        site.push()
    assert amounts(site) == {"inv_1~r2": 3000}
    track.refund("inv_1")
    site.push()
    assert amounts(site) == {}


def test_refunding_twice_is_an_error(shop: Account) -> None:
    buy(shop)
    track.refund("inv_1")
    with pytest.raises(RefundError, match="inv_1 is refunded already"):
        track.refund("inv_1")


@pytest.mark.parametrize("amount", [4901, Decimal("49.01"), 0, -1])
def test_refunding_more_than_was_paid_or_nothing_is_an_error(shop: Account, amount: Any) -> None:
    buy(shop)
    with pytest.raises(RefundError, match=r"inv_1: .* can be refunded \(USD, minor units\)"):
        track.refund("inv_1", amount=amount)
    assert messages("transactions.delete") == []


def test_refunding_a_payment_that_was_never_reported_is_an_error(shop: Account) -> None:
    buy(shop, "inv_12")
    with pytest.raises(RefundError, match="inv_1 was never reported"):
        track.refund("inv_1")


def test_refunding_a_cancelled_payment_is_an_error(site: Site, shop: Account) -> None:
    buy(shop)
    actions.cancel(message("transactions.create"))
    with pytest.raises(RefundError, match="inv_1 was never reported"):
        track.refund("inv_1")


def test_a_payment_can_be_refunded_after_its_message_was_pruned(site: Site, shop: Account) -> None:
    buy(shop)
    track.refund("inv_1", amount=900)
    site.push()
    prune("test", timezone.now() + timedelta(days=1))
    assert messages("transactions.create") == []
    track.refund("inv_1", amount=1000)
    site.push()
    assert amounts(site) == {"inv_1~r2": 3000}


def test_a_payment_that_was_pulled_can_be_refunded(site: Site, shop: Account) -> None:
    site.push()
    customer = site.sandbox.objects("customers")[0]["customer_key"]
    Transaction.objects.create(
        mode="test", key="inv_1", amount=4900, currency="USD", customer_external_key=customer,
        synced_at=timezone.now(),
    )  # fmt: skip
    track.refund("inv_1", amount=900)
    queued = [each.operation for each in messages(subject="inv_1")]
    assert queued == ["transactions.delete", "transactions.create"]


def test_a_payment_whose_key_begins_with_another_key_is_not_refunded(site: Site, shop: Account) -> None:
    for key in ("1001", "10012"):
        buy(shop, key)
    site.push()
    prune("test", timezone.now() + timedelta(days=1))
    track.refund("1001")
    site.push()
    assert amounts(site) == {"10012": 4900}


def test_a_payment_that_partnerstack_no_longer_has_cannot_be_refunded(site: Site) -> None:
    Transaction.objects.create(mode="test", key="inv_1", synced_at=timezone.now(), archived=True)
    with pytest.raises(RefundError, match="inv_1"):
        track.refund("inv_1")


def test_a_refund_of_a_payment_on_hold_is_blocked_until_its_release(site: Site, shop: Account) -> None:
    buy(shop)
    actions.hold(message("transactions.create"))
    track.refund("inv_1", amount=900)
    site.push()
    assert site.effects("transactions.delete") == {}
    assert {each.state for each in messages(subject="inv_1")} == {"held", "blocked"}
    actions.release(messages("transactions.create")[0])
    site.push()
    assert amounts(site) == {"inv_1~r1": 4000}


def test_a_refund_of_a_failed_payment_is_blocked_until_its_delivery(site: Site, shop: Account) -> None:
    site.push()
    buy(shop)
    site.sandbox.faults.add("status", status=400, path="/api/v2/transactions", times=1)
    site.push()
    track.refund("inv_1")
    site.push()
    assert states()["transactions.delete inv_1"] == "blocked"
    actions.retry(message("transactions.create"))
    site.push()
    assert amounts(site) == {}
    assert states()["transactions.delete inv_1"] == "delivered"


def test_the_balance_is_not_sent_before_the_payment_is_deleted(site: Site, shop: Account) -> None:
    buy(shop)
    site.push()
    site.sandbox.faults.add("status", status=400, method="DELETE", times=1)
    track.refund("inv_1", amount=900)
    site.push()
    assert amounts(site) == {"inv_1": 4900}
    assert message("transactions.create", dedupe_key="transactions.create:inv_1~r1").state == "blocked"
    actions.retry(message("transactions.delete"))
    site.push()
    assert amounts(site) == {"inv_1~r1": 4000}


def test_two_refunds_at_once_of_the_same_balance_queue_only_one(site: Site, shop: Account) -> None:
    buy(shop)
    balance = refundable_balance("inv_1", mode="test")
    track.refund("inv_1", amount=900)
    for new in refund_messages(balance, 1000):
        assert not enqueue(new, mode="test")


def test_a_refund_is_all_or_nothing(shop: Account) -> None:
    buy(shop)
    ReportedKey.objects.create(
        mode="test", dedupe_key="transactions.create:inv_1~r1", reported_at=timezone.now()
    )
    with pytest.raises(RefundError, match="at this moment; try again"):
        track.refund("inv_1", amount=900)
    assert messages("transactions.delete") == []


def test_a_refund_is_remembered_after_its_messages_were_pruned(site: Site, shop: Account) -> None:
    buy(shop)
    track.refund("inv_1")
    site.push()
    prune("test", timezone.now() + timedelta(days=1))
    # A sync that had read the payment before it was deleted stores it afterwards.
    Transaction.objects.update(archived=False)
    with pytest.raises(RefundError, match="inv_1 is refunded already"):
        track.refund("inv_1")


def test_the_same_refund_told_twice_is_made_once(site: Site, shop: Account) -> None:
    buy(shop)
    assert track.refund("inv_1", amount=900, key="re_1")
    assert not track.refund("inv_1", amount=900, key="re_1")
    site.push()
    assert not track.refund("inv_1", amount=900, key="re_1")
    prune("test", timezone.now() + timedelta(days=1))
    assert not track.refund("inv_1", amount=900, key="re_1")
    assert track.refund("inv_1", amount=900, key="re_2")
    site.push()
    assert amounts(site) == {"inv_1~r2": 3100}


def test_a_full_refund_with_a_key_can_be_told_twice(site: Site, shop: Account) -> None:
    buy(shop)
    assert track.refund("inv_1", key="re_1")
    assert not track.refund("inv_1", key="re_1")
    site.push()
    assert amounts(site) == {}


OTHERS: list[tuple[str, Any]] = [("inv_1", 1000), ("inv_1", None), ("inv_1", Decimal("10")), ("inv_2", 900)]


@pytest.mark.parametrize(("payment", "amount"), OTHERS)
@pytest.mark.parametrize("pruned", [False, True])
def test_another_refund_under_a_used_key_is_refused_and_the_first_is_named(
    site: Site, shop: Account, payment: str, amount: Any, pruned: bool
) -> None:
    for key in ("inv_1", "inv_2"):
        buy(shop, key)
    track.refund("inv_1", amount=900, key="re_1")
    if pruned:
        site.push()
        prune("test", timezone.now() + timedelta(days=1))
    count = len(messages())
    with pytest.raises(KeyCollision, match=r"'re_1' was used for 900 USD \(minor units\) of 'inv_1'"):
        track.refund(payment, amount=amount, key="re_1")
    assert len(messages()) == count
    assert not track.refund("inv_1", amount=Decimal("9.00"), key="re_1")


def test_a_partial_refund_under_the_key_of_a_full_one_is_refused(shop: Account) -> None:
    buy(shop)
    track.refund("inv_1", key="re_1")
    with pytest.raises(KeyCollision, match=r"'re_1' was used for 4900 USD .*, the balance of 'inv_1'"):
        track.refund("inv_1", amount=900, key="re_1")
    assert not track.refund("inv_1", key="re_1")


def test_the_key_of_a_cancelled_refund_may_be_used_for_another_payment(site: Site, shop: Account) -> None:
    for key in ("inv_1", "inv_2"):
        buy(shop, key)
    site.push()
    track.refund("inv_1", amount=900, key="re_1")
    actions.cancel(message("transactions.delete"))
    assert track.refund("inv_2", amount=1000, key="re_1")
    assert not track.refund("inv_2", amount=1000, key="re_1")


@pytest.mark.parametrize("key", [None, 7, b"inv_1", "part\0", "half \ud800"])
def test_a_key_that_no_payment_can_have_gets_one_clear_line(shop: Account, key: Any) -> None:
    buy(shop)
    with pytest.raises(InvalidArgument, match=r"^The payment to refund (must be a string|contains a NUL)"):
        track.refund(key)
    with pytest.raises(InvalidArgument, match=r"^The key of a refund (must be a string|contains a NUL)"):
        track.refund("inv_1", key=key)


def test_a_refund_that_is_refused_is_not_remembered(shop: Account) -> None:
    buy(shop)
    with pytest.raises(RefundError):
        track.refund("inv_1", amount=4901, key="re_1")
    assert track.refund("inv_1", amount=900, key="re_1")


@pytest.mark.parametrize("key", ["", "re_1"])
@pytest.mark.parametrize(("first", "second", "left"), [(None, None, {}), (900, 1000, {"inv_1~r2": 3900})])
def test_a_refund_after_a_cancelled_refund(
    site: Site, shop: Account, key: str, first: int | None, second: int | None, left: dict[str, int]
) -> None:
    buy(shop)
    site.push()
    track.refund("inv_1", amount=first, key=key)
    actions.cancel(message("transactions.delete"))
    site.push()
    assert amounts(site) == {"inv_1": 4900}
    assert track.refund("inv_1", amount=second, key=key)
    site.push()
    assert amounts(site) == left
    assert {each.state for each in messages(subject="inv_1")} == {"delivered", "cancelled"}


def test_the_payment_can_be_refunded_three_times_after_a_cancelled_refund(site: Site, shop: Account) -> None:
    buy(shop)
    site.push()
    track.refund("inv_1", amount=100)
    actions.cancel(message("transactions.delete"))
    for _ in range(3):
        track.refund("inv_1", amount=100)
        site.push()
    assert amounts(site) == {"inv_1~r4": 4600}


@pytest.mark.parametrize("key", ["inv_1~r1", "inv_1~r20", "abcd~r0"])
def test_a_key_that_ends_like_a_derived_key_is_refused(shop: Account, key: str) -> None:
    with pytest.raises(InvalidArgument, match="ends like a key that a refund derives"):
        track.purchase(shop, amount=1, currency="USD", key=key)


@pytest.mark.parametrize("pruned", [False, True])
@pytest.mark.parametrize("other", ["inv-1-r1", "inv-1-r2", "inv-1~r1x", "inv-1~r", "inv-1~R1"])
def test_a_refund_touches_no_other_payment(site: Site, shop: Account, other: str, pruned: bool) -> None:
    for key in ("inv-1", other):
        buy(shop, key)
    site.push()
    if pruned:
        prune("test", timezone.now() + timedelta(days=1))
    track.refund("inv-1", amount=900)
    site.push()
    track.refund("inv-1")
    site.push()
    assert amounts(site) == {other: 4900}


def test_the_longest_key_can_be_refunded_many_times(site: Site, shop: Account) -> None:
    key = "k" * LONGEST_KEY
    buy(shop, key)
    for _ in range(12):
        track.refund(key, amount=1)
    site.push()
    assert amounts(site) == {f"{key}~r12": 4888}
    with pytest.raises(InvalidArgument, match="4 to 240 characters"):
        buy(shop, key + "k")


def test_a_refund_whose_answer_is_lost_is_sent_again(site: Site, shop: Account) -> None:
    buy(shop)
    site.push()
    for kind in ("lost", "reset"):
        site.fail(kind, method="DELETE")
    track.refund("inv_1")
    # PartnerStack no longer has it, which is trusted at the first retry after the grace.
    site.push_for(seconds=(GRACE + LONGEST_DELAY).total_seconds())
    assert message("transactions.delete").state == "delivered"
    assert amounts(site) == {}


@pytest.mark.parametrize("parts", [[], [900], [900, 1000]])
@pytest.mark.parametrize("amount", [None, 500])
def test_a_payment_is_refunded_after_its_messages_were_pruned_and_the_mirror_emptied(
    site: Site, shop: Account, parts: list[int], amount: int | None
) -> None:
    for key in ("inv_1", "inv_12"):
        buy(shop, key)
    for part in parts:
        track.refund("inv_1", amount=part)
        site.push()
    site.push()
    prune("test", timezone.now() + timedelta(days=1))
    Transaction.objects.all().delete()
    left = 4900 - sum(parts)
    with pytest.raises(RefundError, match=f"{left} can be refunded"):
        track.refund("inv_1", amount=left + 1)
    track.refund("inv_1", amount=amount)
    site.push()
    rest = {f"inv_1~r{len(parts) + 1}": left - amount} if amount else {}
    assert amounts(site) == {"inv_12": 4900, **rest}


@pytest.mark.parametrize("parts", [[], [900]])
def test_a_refunded_payment_is_not_refunded_again_after_everything_was_pruned(
    site: Site, shop: Account, parts: list[int]
) -> None:
    buy(shop)
    for part in [*parts, None]:
        track.refund("inv_1", amount=part)
    site.push()
    prune("test", timezone.now() + timedelta(days=1))
    Transaction.objects.all().delete()
    with pytest.raises(RefundError, match="inv_1 is refunded already"):
        track.refund("inv_1")
    assert amounts(site) == {}


@pytest.mark.parametrize("pushed", [False, True])
def test_two_refunds_that_were_cancelled_are_told_again(site: Site, shop: Account, pushed: bool) -> None:
    buy(shop)
    site.push()
    track.refund("inv_1", amount=900)
    if pushed:
        site.push()
    track.refund("inv_1", amount=1000)
    for deletion in reversed(messages("transactions.delete")):
        if deletion.state != "delivered":
            actions.cancel(deletion)
    site.push()
    assert list(amounts(site).values()) == [4000 if pushed else 4900]
    track.refund("inv_1", amount=1000)
    track.refund("inv_1", amount=500)
    site.push()
    assert list(amounts(site).values()) == [2500 if pushed else 3400]
    assert set(site.effects("transactions.delete").values()) == {1}
    assert set(site.effects("transactions.create").values()) == {1}


def test_the_key_of_a_deletion_that_arrived_is_never_released(site: Site, shop: Account) -> None:
    buy(shop)
    track.refund("inv_1", amount=900)
    site.push()
    track.refund("inv_1", amount=1000)
    actions.cancel(messages("transactions.delete")[-1])
    track.refund("inv_1", amount=1000)
    reported = ReportedKey.objects.exclude(reported_at=None).values_list("dedupe_key", flat=True)
    assert {"transactions.create:inv_1", "transactions.create:inv_1~r1"} < set(reported)
    assert "transactions.delete:inv_1" in reported


@pytest.mark.parametrize("key", ["", "re_2"])
def test_a_refund_after_a_cancelled_one_is_told_again_too(site: Site, shop: Account, key: str) -> None:
    buy(shop)
    site.push()
    track.refund("inv_1", amount=900, key="re_1")
    track.refund("inv_1", amount=1000, key=key)
    actions.cancel(messages("transactions.delete")[0])
    site.push()
    assert amounts(site) == {"inv_1": 4900}
    assert track.refund("inv_1", amount=1000, key=key)
    site.push()
    assert amounts(site) == {"inv_1~r3": 3900}
    assert {each.state for each in messages(subject="inv_1")} == {"delivered", "cancelled"}


def test_a_payment_that_was_cancelled_before_its_refund_cannot_be_refunded(site: Site, shop: Account) -> None:
    buy(shop)
    actions.hold(message("transactions.create"))
    track.refund("inv_1", amount=900)
    actions.cancel(messages("transactions.create")[0])
    with pytest.raises(RefundError, match="inv_1 was never reported"):
        track.refund("inv_1", amount=900)
