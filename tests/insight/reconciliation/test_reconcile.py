"""What a site and PartnerStack have after real deliveries and syncs, and what a reconciliation says of it."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from django_partnerstack import sources, track
from django_partnerstack.insight.reconciliation.run import Reconciled, reconcile
from django_partnerstack.models import Attribution, OutboxMessage, State, Transaction
from django_partnerstack.outbox.control.actions import cancel, hold, mark_delivered
from django_partnerstack.outbox.payments.corrections import correct_payment
from django_partnerstack.sync import pull
from tests.outbox.site import Site, account, payment
from tests.shop.models import Account, Payment

pytestmark = pytest.mark.django_db


@pytest.fixture
def site() -> Site:
    return Site()


def synced(site: Site, *, full: bool = True) -> None:
    client = site.worker.client
    for resource in ("partnerships", "customers", "transactions"):
        pull(resource, client=client, mode="test", full=full, now=site.clock.now)


def reconciled(site: Site, **options: Any) -> Reconciled:
    return reconcile(mode="test", now=site.clock.now, **options)


def differences(site: Site) -> dict[str, int]:
    """The number of differences by kind, after a full sync."""
    synced(site)
    return found(reconciled(site))


def found(result: Reconciled) -> dict[str, int]:
    return {code: tally.count for code, tally in result.tally.kinds.items() if tally.count}


def same(site: Site) -> Counter[str]:
    return reconciled(site).tally.same["payments"]


def test_a_delivered_payment_agrees(site: Site) -> None:
    payment(account())
    site.push()
    assert differences(site) == {}
    assert same(site) == {"agrees": 1}


def test_a_queued_payment_is_on_its_way(site: Site) -> None:
    payment(account())
    assert differences(site) == {}
    assert same(site) == {"on-their-way": 1}


def test_a_payment_in_bulk_was_not_reported(site: Site) -> None:
    shop = account()
    site.push()
    Payment.objects.bulk_create([Payment(account=shop, total=10)])
    assert differences(site) == {"not-reported": 1}
    assert reconciled(site).tally.kinds["not-reported"].here == {"USD": 1000}


def test_organic_customers_and_their_payments_are_no_difference(site: Site) -> None:
    payment(account(partner_key=""))
    Payment.objects.bulk_create([Payment(account=account(partner_key=""), total=10)])
    site.push()
    assert differences(site) == {}
    assert same(site) == {"organic": 2}


def test_a_customer_in_bulk_who_would_be_organic_is_no_difference(site: Site) -> None:
    [shop] = Account.objects.bulk_create([Account(email="a@shop.example")])
    Payment.objects.bulk_create([Payment(account=shop, total=10)])
    assert differences(site) == {}


def test_an_organic_customer_with_a_click_should_be_attributed_with_its_payments(site: Site) -> None:
    shop = account(partner_key="")
    payment(shop)
    site.push()
    Attribution.objects.create(
        mode="test", customer_key=track.customer_key(shop), partner_key="gstest", bound_at=site.clock.now()
    )
    assert differences(site) == {"unattributed": 2}
    tally = reconciled(site).tally.kinds["unattributed"]
    assert (tally.customers, tally.payments, tally.here) == (1, 1, {"USD": 4900})


def test_an_organic_customer_whom_partnerstack_has_is_mended_by_assigning_its_partner(site: Site) -> None:
    shop = account(partner_key="")
    payment(shop)
    site.push()
    key = track.customer_key(shop)
    site.worker.client.customers.create(customer_key=key, email=shop.email, partner_key="gstest")
    assert differences(site) == {"unattributed": 2}
    [example, _payment] = reconciled(site).tally.kinds["unattributed"].examples
    assert example["detail"] == "PartnerStack has the customer under the partner gstest."
    track.assign(key, "gstest", by="ada")
    site.push()
    assert differences(site) == {}
    assert same(site) == {"agrees": 1}


def test_an_unpaid_payment_is_no_difference(site: Site) -> None:
    payment(account(), paid=False)
    site.push()
    assert differences(site) == {}
    assert same(site) == {"skipped": 1}


@pytest.mark.parametrize("amounts", [["9.00"], ["9.00", "5.00"], ["49.00"], ["9.00", "40.00"]])
def test_refunds_agree(site: Site, amounts: list[str]) -> None:
    paid = payment(account())
    site.push()
    for amount in amounts:
        track.refund(f"payment-{paid.pk}", amount=Decimal(amount))
        site.push()
    assert differences(site) == {}


def test_a_refund_agrees_also_before_it_is_synced_and_after_its_messages_were_deleted(site: Site) -> None:
    paid = payment(account())
    site.push()
    synced(site)
    track.refund(f"payment-{paid.pk}", amount=Decimal("9.00"))
    site.push()
    OutboxMessage.objects.all().delete()
    assert found(reconciled(site)) == {}
    assert differences(site) == {}


def test_a_refund_on_its_way_is_no_difference_and_one_on_hold_is(site: Site) -> None:
    paid = payment(account())
    site.push()
    track.refund(f"payment-{paid.pk}")
    assert differences(site) == {}
    hold(OutboxMessage.objects.get(operation="transactions.delete"))
    assert differences(site) == {"needs-attention": 1}


def test_a_refund_that_was_only_marked_as_delivered_is_a_difference(site: Site) -> None:
    paid = payment(account())
    site.push()
    track.refund(f"payment-{paid.pk}")
    hold(message := OutboxMessage.objects.get(operation="transactions.delete"))
    mark_delivered(message)
    assert differences(site) == {"not-refunded": 1}
    tally = reconciled(site).tally.kinds["not-refunded"]
    assert tally.there == {"USD": 4900}


def test_a_cancelled_refund_is_no_difference(site: Site) -> None:
    paid = payment(account())
    site.push()
    track.refund(f"payment-{paid.pk}")
    cancel(OutboxMessage.objects.get(operation="transactions.delete"))
    assert differences(site) == {}
    assert same(site) == {"agrees": 1}


def test_what_depends_on_a_cancelled_refund_is_no_difference(site: Site) -> None:
    paid = payment(account())
    site.push()
    track.refund(f"payment-{paid.pk}", amount=Decimal("9.00"))
    cancel(OutboxMessage.objects.get(operation="transactions.delete"))
    site.push()
    assert OutboxMessage.objects.filter(state=State.BLOCKED).exists()
    assert differences(site) == {}


def test_a_correction_that_was_cancelled_midway_differs(site: Site) -> None:
    paid = payment(account())
    site.push()
    paid.total = Decimal("59.00")
    paid.save()
    correct_payment(OutboxMessage.objects.get(state=State.FAILED))
    site.push(limit=1)
    cancel(OutboxMessage.objects.get(subject=f"payment-{paid.pk}", state=State.SCHEDULED))
    assert differences(site) == {"amount": 1}
    assert reconciled(site).tally.kinds["amount"].here == {"USD": 5900}


def test_a_rejected_payment_needs_attention(site: Site) -> None:
    shop = account()
    site.push()
    payment(shop)
    site.fail("status", status=400)
    site.push()
    assert OutboxMessage.objects.filter(state=State.FAILED).exists()
    assert differences(site) == {"needs-attention": 1}
    [example] = reconciled(site).tally.kinds["needs-attention"].examples
    assert example["detail"].startswith("transactions.create is failed. POST /transactions: 400")


def test_a_changed_amount_differs_until_the_payment_is_corrected(site: Site) -> None:
    paid = payment(account())
    site.push()
    paid.total = Decimal("59.00")
    paid.save()
    assert differences(site) == {"amount": 1}
    tally = reconciled(site).tally.kinds["amount"]
    assert (tally.here, tally.there) == ({"USD": 5900}, {"USD": 4900})
    assert tally.examples[0]["detail"] == "PartnerStack has 49.00 USD, this site 59.00 USD."
    correct_payment(OutboxMessage.objects.get(state=State.FAILED))
    assert differences(site) == {}
    site.push()
    assert differences(site) == {}


def test_a_payment_of_another_customer_differs(site: Site) -> None:
    paid = payment(account())
    other = account(email="other@customers.example")
    site.push()
    paid.account = other
    paid.save()
    assert differences(site) == {"customer": 1}


def test_a_payment_without_a_source_is_compared_as_it_was_reported(site: Site) -> None:
    shop = account()
    track.purchase(shop, amount=Decimal("5.00"), currency="USD", key="inv_1")
    site.push()
    assert differences(site) == {}
    Transaction.objects.filter(key="inv_1").update(amount=600)
    assert found(reconciled(site)) == {"amount": 1}


def test_a_payment_whose_object_was_deleted_is_no_difference(site: Site) -> None:
    paid = payment(account())
    site.push()
    paid.delete()
    assert differences(site) == {}


def test_what_was_deleted_at_partnerstack_is_not_there(site: Site) -> None:
    paid = payment(account())
    site.push()
    site.worker.client.transactions.delete(f"payment-{paid.pk}")
    site.clock.advance(minutes=1)
    assert differences(site) == {"not-there": 1}


def test_a_payment_that_only_partnerstack_has_is_not_here(site: Site) -> None:
    shop = account()
    site.push()
    site.worker.client.transactions.create(
        key="ch_1", customer_external_key=track.customer_key(shop), amount=700, currency="USD"
    )
    assert differences(site) == {"not-here": 1}
    tally = reconciled(site).tally.kinds["not-here"]
    assert (tally.here, tally.there) == ({}, {"USD": 700})


def test_a_payment_that_another_integration_reports_too_is_a_duplicate(site: Site) -> None:
    shop = account()
    payment(shop)
    site.push()
    site.worker.client.transactions.create(
        key="ch_1", customer_external_key=track.customer_key(shop), amount=4900, currency="USD"
    )
    assert differences(site) == {"duplicate": 1}


def test_customers_and_payments_of_another_site_on_the_account_are_left_out(
    site: Site, settings: Any
) -> None:
    site.worker.client.customers.create(customer_key="eu-1", email="a@eu.example", partner_key="gstest")
    site.worker.client.transactions.create(
        key="eu-1-1", customer_external_key="eu-1", amount=700, currency="USD"
    )
    assert differences(site) == {"not-here": 2}
    settings.PARTNERSTACK_KEY_PREFIX = "us-"
    assert differences(site) == {}
    assert same(site) == {"other-site": 1}


def test_what_was_delivered_after_the_last_sync_cannot_be_missed_yet(site: Site) -> None:
    shop = account()
    site.push()
    synced(site)
    site.clock.advance(hours=1)
    payment(shop)
    site.push()
    Transaction.objects.all().delete()
    assert found(reconciled(site)) == {}
    assert same(site) == {"too-new": 1}
    synced(site, full=False)
    Transaction.objects.all().delete()
    site.clock.advance(hours=1)
    synced(site, full=False)
    Transaction.objects.all().delete()
    assert found(reconciled(site)) == {"not-there": 1}


def test_a_source_that_fails_stops_nothing(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = account()
    paid, broken = payment(shop), payment(shop)
    site.push()
    usual = sources.transactions[Payment]

    def failing(payment: Payment) -> Any:
        return usual(payment) if payment.pk == paid.pk else {}["nothing"]

    monkeypatch.setitem(sources.transactions, Payment, failing)
    assert differences(site) == {"source-failed": 1}
    [example] = reconciled(site).tally.kinds["source-failed"].examples
    assert (example["source"], example["source_pk"]) == ("shop.payment", str(broken.pk))
    assert example["detail"] == "KeyError: 'nothing'"


def test_two_objects_with_one_key_are_a_difference(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = account()
    payment(shop)
    Payment.objects.bulk_create([Payment(account=shop, total=49)])
    usual = sources.transactions[Payment]
    same_key = {"key": "inv-1"}

    def describe(payment: Payment) -> Any:
        data = usual(payment)
        assert isinstance(data, sources.TransactionData)
        return sources.TransactionData(
            **same_key, customer=data.customer, amount=data.amount, currency=data.currency
        )

    monkeypatch.setitem(sources.transactions, Payment, describe)
    track.report(Payment.objects.all()[0])
    site.push()
    assert differences(site).get("source-failed") == 1


def test_it_writes_nothing(site: Site, django_assert_max_num_queries: Any) -> None:
    payment(account())
    site.push()
    synced(site)
    with django_assert_max_num_queries(30) as captured:
        reconciled(site)
    assert all(each["sql"].startswith("SELECT") for each in captured)


def test_since_is_about_the_time_of_the_payment(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = account()
    site.push()
    Payment.objects.bulk_create([Payment(account=shop, total=10), Payment(account=shop, total=20)])
    usual = sources.transactions[Payment]
    days = {10: 40, 20: 2}

    def describe(payment: Payment) -> Any:
        data = usual(payment)
        assert isinstance(data, sources.TransactionData)
        at = site.clock.now() - timedelta(days=days[int(payment.total)])
        return sources.TransactionData(
            key=data.key,
            customer=data.customer,
            amount=data.amount,
            currency=data.currency,
            created_at=at,
        )

    monkeypatch.setitem(sources.transactions, Payment, describe)
    assert differences(site) == {"not-reported": 2}
    since = site.clock.now() - timedelta(days=30)
    assert found(reconciled(site, since=since)) == {"not-reported": 1}


def test_a_payment_that_waits_for_its_customer_was_not_reported(site: Site) -> None:
    [shop] = Account.objects.bulk_create([Account(email="a@unknown.example")])
    track.purchase(shop, amount=Decimal("5.00"), currency="USD", key="inv_1")
    site.push()
    assert differences(site) == {"not-reported": 1}
    [example] = reconciled(site).tally.kinds["not-reported"].examples
    assert example["detail"] == "It waits for its customer, who was never reported."


def test_a_forgotten_customer_and_its_payments_agree(site: Site) -> None:
    shop = account()
    payment(shop)
    site.push()
    synced(site)
    track.forget(shop)
    Payment.objects.create(account=shop, total=Decimal(5))
    site.push_for(minutes=40, step=1)
    assert differences(site) == {}
