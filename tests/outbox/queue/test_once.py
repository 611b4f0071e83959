"""A key belongs to one payment, and to a corrected one as long as PartnerStack cannot have the first."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from django_partnerstack import sources, track
from django_partnerstack.exceptions import InvalidTransition, KeyCollision
from django_partnerstack.models import ReportedKey, SourceFailure, Transaction
from django_partnerstack.outbox.backfill import backfill
from django_partnerstack.outbox.control import actions
from tests.outbox.site import Site, account, message, messages, payment
from tests.shop.models import Account, Payment

pytestmark = pytest.mark.django_db


@pytest.fixture
def site() -> Site:
    return Site()


def buy(shop: Account, amount: int = 4900, **details: Any) -> track.Report:
    return track.purchase(shop, **{"amount": amount, "currency": "USD", "key": "inv_1", **details})


def refuse(site: Site) -> None:
    """PartnerStack refuses the payment ``inv_1``."""
    site.push(limit=1)
    site.fail("status", status=400)
    site.push()


@pytest.mark.parametrize("other", [{"amount": 9900}, {"currency": "EUR"}, {"key_of": "another customer"}])
def test_another_payment_under_a_used_key_is_refused_and_both_are_named(other: dict[str, Any]) -> None:
    first, second = account(), account()
    assert buy(first)
    shop = second if other.pop("key_of", None) else first
    with pytest.raises(KeyCollision, match=rf"'inv_1' was reported .* 4900 USD .*'shop-account-{first.pk}'"):
        buy(shop, **other)
    assert not buy(first)
    assert len(messages("transactions.create")) == 1


def test_a_saved_payment_under_a_used_key_leaves_one_failed_message() -> None:
    first, second = account(), account()
    track.purchase(first, amount=1000, currency="USD", key="payment-7")
    paid = payment(second, pk=7)
    paid.save()
    [refused] = messages(source="shop.payment")
    assert (refused.state, refused.source_pk) == ("dead", "7")
    assert "'payment-7' was reported by another call, with 1000 USD" in refused.reason


def test_a_reported_payment_whose_amount_changes_leaves_a_failed_message(site: Site) -> None:
    paid = payment(account())
    site.push()
    paid.total = Decimal("99.00")
    paid.save()
    delivered, refused = messages(source="shop.payment")
    assert (delivered.state, refused.state) == ("delivered", "dead")
    assert f"shop.payment {paid.pk} before it was changed, with 4900 USD" in refused.reason
    assert track.refund(f"payment-{paid.pk}")


def test_a_failed_message_about_a_used_key_is_never_sent(site: Site) -> None:
    track.purchase(account(), amount=1000, currency="USD", key="payment-7")
    payment(account(), pk=7)
    [refused] = messages(source="shop.payment")
    with pytest.raises(InvalidTransition, match="another message reports its key"):
        actions.retry(refused)
    site.push()
    assert site.effects("transactions.create") == {"payment-7": 1}


def test_a_backfill_lists_a_payment_that_a_call_reported_with_another_amount_as_differing() -> None:
    track.purchase(account(), amount=1000, currency="USD", key="payment-7")
    Payment.objects.bulk_create([Payment(pk=7, account=account(), total=Decimal("99"))])
    done = backfill(Payment, mode="test", on_page=lambda result: None)
    assert (done.queued, done.known, done.failed, done.differing) == (0, 0, 0, 1)
    assert "shop.Payment 7: The transaction key 'payment-7' was reported by another" in done.differences[0]


def test_a_backfill_lists_a_payment_under_the_key_of_another_object_as_failed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    usual = sources.transactions[Payment]
    monkeypatch.setitem(sources.transactions, Payment, lambda paid: replace(usual(paid), key="payment-7"))
    first = payment(account())
    [second] = Payment.objects.bulk_create([Payment(account=account(), total=Decimal("99"))])
    done = backfill(Payment, mode="test", on_page=lambda result: None)
    assert (done.queued, done.known, done.failed, done.differing) == (0, 1, 1, 0)
    [failure] = done.failures
    assert failure.startswith(f"shop.Payment {second.pk}: KeyCollision: The transaction key 'payment-7' ")
    assert f"was reported by shop.payment {first.pk}, with 4900 USD (minor units)" in failure
    assert f"; shop.payment {second.pk} has 9900 USD (minor units)" in failure
    assert failure.endswith("Nothing was queued. Use another key for another payment.")


def test_a_payment_that_partnerstack_has_with_another_amount_is_refused() -> None:
    shop = account()
    Transaction.objects.create(mode="test", key="inv_1", amount=100, currency="USD")
    with pytest.raises(KeyCollision, match="PartnerStack has 'inv_1' already, with another amount: 100"):
        buy(shop)


def test_a_refused_payment_gives_way_to_the_corrected_one(site: Site) -> None:
    shop = account()
    buy(shop)
    refuse(site)
    assert not buy(shop)
    assert buy(shop, 5900)
    site.push()
    refused, corrected = messages("transactions.create")
    assert (refused.state, corrected.state) == ("cancelled", "delivered")
    assert refused.reason.startswith("Replaced by newer data. ")
    assert [each["amount"] for each in site.sandbox.objects("transactions")] == [5900]


def test_a_corrected_payment_can_be_refunded(site: Site) -> None:
    shop = account()
    buy(shop)
    refuse(site)
    buy(shop, 5900)
    track.refund("inv_1", amount=900)
    site.push()
    assert site.effects("transactions.delete") == {"inv_1": 1}
    assert site.effects("transactions.create") == {"inv_1": 1, "inv_1~r1": 1}


def test_a_cancelled_payment_gives_way_to_other_content_and_not_to_the_same(site: Site) -> None:
    shop = account()
    buy(shop)
    actions.cancel(message("transactions.create"))
    assert not buy(shop)
    assert buy(shop, product_key="pro")


def test_a_payment_in_doubt_never_gives_way(site: Site) -> None:
    shop = account()
    buy(shop)
    site.push(limit=1)
    site.fail("lost")
    site.push(limit=1)
    in_doubt = message("transactions.create")
    assert in_doubt.state == "unknown"
    actions.cancel(in_doubt)
    with pytest.raises(KeyCollision):
        buy(shop, 5900)


def test_a_refused_payment_gives_way_in_a_backfill(site: Site) -> None:
    paid = payment(account())
    refuse(site)
    Payment.objects.update(total=Decimal("59.00"))
    assert backfill(Payment, mode="test", on_page=lambda result: None).queued == 1
    site.push()
    assert site.effects("transactions.create") == {f"payment-{paid.pk}": 1}


def test_a_second_payment_under_the_key_of_another_object_is_never_lost_without_a_word() -> None:
    shop = account()
    usual = sources.transactions[Payment]
    try:
        sources.transactions[Payment] = lambda paid: replace(usual(paid), key="same-1")
        first, second = payment(shop), payment(shop)
    finally:
        sources.transactions[Payment] = usual
    [refused] = messages(source="shop.payment", source_pk=str(second.pk))
    assert refused.state == "dead"
    assert f"reported by shop.payment {first.pk}" in refused.reason
    assert f"shop.payment {second.pk} has" in refused.reason


def test_a_payment_that_is_saved_as_a_proxy_is_the_same_payment(site: Site) -> None:
    class PayProxy(Payment):
        class Meta:
            proxy = True
            app_label = "shop"

    paid = payment(account())
    site.push()
    PayProxy.objects.get(pk=paid.pk).save()
    assert len(messages("transactions.create")) == 1
    again = PayProxy.objects.get(pk=paid.pk)
    again.total = Decimal("59.00")
    again.save()
    [refused] = messages("transactions.create", state="dead")
    assert "correct it in the admin" in refused.reason


def same_key(monkeypatch: pytest.MonkeyPatch) -> Any:
    """All payments have one key; call the result to mend all but one."""
    usual = sources.transactions[Payment]

    def source(paid: Payment) -> Any:
        return usual(paid) if paid.pk in mended else replace(usual(paid), key="same-1")

    mended: set[int] = set()
    monkeypatch.setitem(sources.transactions, Payment, source)
    return mended.add


def report_in_backfill(paid: Payment) -> None:
    backfill(Payment, mode="test", on_page=lambda result: None)


@pytest.mark.parametrize("report", [Payment.save, track.report, report_in_backfill])
def test_a_collision_needs_attention_once_and_is_withdrawn_when_it_is_mended(
    site: Site, monkeypatch: pytest.MonkeyPatch, report: Any, django_capture_on_commit_callbacks: Any
) -> None:
    mend = same_key(monkeypatch)
    shop = account()
    payment(shop)
    second = payment(shop, "99.00")
    for _ in range(2):
        second.save()
        report_in_backfill(second)
        [refused] = messages(state="dead")
        assert (refused.source_pk, SourceFailure.objects.count()) == (str(second.pk), 0)
    mend(second.pk)
    with django_capture_on_commit_callbacks(execute=True):
        report(second)
    site.push()
    assert messages(state="dead") == []
    refused.refresh_from_db()
    assert refused.reason.startswith("Withdrawn: the object does not use the key of another")
    assert site.effects("transactions.create") == {"same-1": 1, f"payment-{second.pk}": 1}


def test_a_collision_that_comes_after_a_report_stays_when_the_report_is_sent(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = account()
    for _ in range(2):
        payment(shop)
    same_key(monkeypatch)
    for paid in Payment.objects.order_by("pk"):
        paid.save()
    site.push()
    assert [each.source_pk for each in messages(state="dead")] == [str(paid.pk)]


def test_an_object_whose_source_failed_before_is_in_conflict_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    paid = payment(account())
    with monkeypatch.context() as broken:
        broken.setitem(sources.transactions, Payment, lambda paid: 1 / 0)
        paid.save()
    assert SourceFailure.objects.count() == 1
    Payment.objects.update(total=Decimal("99.00"))
    ReportedKey.objects.update(reported_at="2026-01-01T00:00Z")
    Payment.objects.get().save()
    assert (len(messages(state="dead")), SourceFailure.objects.count()) == (1, 0)
