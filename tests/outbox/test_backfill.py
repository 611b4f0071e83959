"""Backfill: objects that no signal reported are queued."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy

from django_partnerstack import sources, track
from django_partnerstack.models import (
    Customer,
    CustomerIdentity,
    OutboxMessage,
    ReportedKey,
    State,
    Transaction,
)
from django_partnerstack.outbox.backfill import Backfilled, backfill
from django_partnerstack.outbox.site_objects import PAGE, reported_models
from tests.shop.models import Account, Payment

pytestmark = pytest.mark.django_db


def accounts(number: int, **fields: Any) -> list[Account]:
    """Created in bulk, so no signal is sent."""
    rows = (Account(email=f"owner{n}@shop.example", **fields) for n in range(number))
    return Account.objects.bulk_create(rows)


def payments(account: Account, number: int, **fields: Any) -> list[Payment]:
    return Payment.objects.bulk_create(Payment(account=account, total=10, **fields) for _ in range(number))


def backfill_model(model: type[models.Model], **options: Any) -> Backfilled:
    return backfill(model, mode="test", on_page=lambda done: None, **options)


def test_customers_come_before_their_transactions() -> None:
    names = [model.__name__ for model in reported_models()]
    assert names == sorted(names)
    assert {Account, Payment} <= set(reported_models())


def test_objects_written_in_bulk_are_queued() -> None:
    [account] = accounts(1, partner_key="gstest")
    [payment] = payments(account, 1)
    assert (backfill_model(Account).queued, backfill_model(Payment).queued) == (1, 1)
    subjects = list(OutboxMessage.objects.order_by("pk").values_list("subject", flat=True))
    assert subjects == [f"shop-account-{account.pk}", f"payment-{payment.pk}"]


def test_a_backfill_is_safe_to_repeat() -> None:
    [account] = accounts(1)
    payments(account, 2)
    for model in (Account, Payment):
        backfill_model(model)
    again = [backfill_model(model) for model in (Account, Payment)]
    assert [(done.queued, done.known) for done in again] == [(0, 1), (0, 2)]
    assert OutboxMessage.objects.count() == 3


def test_saved_objects_are_known() -> None:
    account = Account.objects.create(email="ada@shop.example")
    Payment.objects.create(account=account, total=10)
    assert [backfill_model(model).known for model in (Account, Payment)] == [1, 1]


def test_objects_that_partnerstack_has_are_known() -> None:
    [account] = accounts(1)
    [payment] = payments(account, 1)
    Customer.objects.create(mode="test", key="cus_1", customer_key=f"shop-account-{account.pk}")
    Transaction.objects.create(mode="test", key=f"payment-{payment.pk}", amount=1000, currency="USD")
    assert [backfill_model(model).known for model in (Account, Payment)] == [1, 1]
    assert not OutboxMessage.objects.exists()


def test_rows_of_the_other_mode_are_not_known() -> None:
    [account] = accounts(1)
    Customer.objects.create(mode="production", key="cus_1", customer_key=f"shop-account-{account.pk}")
    assert backfill_model(Account).queued == 1


def test_skipped_objects_are_counted_by_reason_and_noted_once() -> None:
    [account] = accounts(1)
    payments(account, 2, paid=False)
    for _ in range(2):
        assert backfill_model(Payment).skipped == {"Not paid yet.": 2}
    assert OutboxMessage.objects.filter(state=State.SKIPPED).count() == 2


def test_the_reason_of_a_skipped_object_may_be_a_lazy_translation(monkeypatch: pytest.MonkeyPatch) -> None:
    [account] = accounts(1)
    payments(account, 2, paid=False)
    reason = gettext_lazy("Not paid yet.")
    monkeypatch.setitem(sources.transactions, Payment, lambda payment: sources.Skipped(reason))
    assert backfill_model(Payment).skipped == {"Not paid yet.": 2}
    assert set(OutboxMessage.objects.filter(state=State.SKIPPED).values_list("reason", flat=True)) == {reason}


def test_a_skipped_object_is_queued_once_its_source_reports_it() -> None:
    [account] = accounts(1)
    payments(account, 1, paid=False)
    backfill_model(Payment)
    Payment.objects.update(paid=True)
    assert backfill_model(Payment).queued == 1


def test_an_object_whose_source_fails_is_listed_and_stops_no_other() -> None:
    [account] = accounts(1)
    [bad] = payments(account, 1, currency="?")
    payments(account, 1)
    done = backfill_model(Payment)
    assert (done.queued, done.failed) == (1, 1)
    assert done.failures[0].startswith(f"shop.Payment {bad.pk}: ")


def test_a_dry_run_counts_the_same_and_queues_nothing() -> None:
    [account] = accounts(1)
    payments(account, 2)
    payments(account, 1, paid=False)
    done = backfill_model(Payment, dry_run=True)
    assert (done.queued, done.skipped.total()) == (2, 1)
    assert not OutboxMessage.objects.exists()


@pytest.mark.parametrize("model", [Account, Payment])
def test_the_number_of_queries_does_not_depend_on_the_number_of_objects(
    model: type[models.Model], django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    for account in accounts(200):
        payments(account, 1)
    # The customers of payments, which were never reported, are recorded in one more statement.
    with django_assert_max_num_queries(9 if model is Account else 10):
        assert backfill_model(model).queued == 200
    with django_assert_max_num_queries(5):
        assert backfill_model(model).known == 200


@pytest.fixture
def overrides() -> Iterator[dict[str, Any]]:
    """Fields that replace those of the source of payments."""
    fields: dict[str, Any] = {}
    usual = sources.transactions[Payment]
    sources.transactions[Payment] = lambda payment: replace(usual(payment), **fields)
    yield fields
    sources.transactions[Payment] = usual


def test_an_object_that_cannot_be_stored_is_listed(overrides: dict[str, Any]) -> None:
    [account] = accounts(1)
    [payment] = payments(account, 1)
    overrides["metadata"] = {"note": "\x00"}
    [failure] = backfill_model(Payment).failures
    assert failure.startswith(f"shop.Payment {payment.pk}: InvalidArgument")


def test_the_second_of_two_payments_under_one_key_fails(overrides: dict[str, Any]) -> None:
    [account] = accounts(1)
    payments(account, 2)
    overrides["key"] = "payment-1"
    done = backfill_model(Payment)
    assert (done.queued, done.known, done.failed) == (1, 0, 1)


def test_an_interrupted_backfill_keeps_the_pages_before() -> None:
    accounts(PAGE + 1)

    def end(done: Backfilled) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        backfill(Account, mode="test", on_page=end)
    assert OutboxMessage.objects.count() == PAGE
    assert backfill_model(Account).queued == 1


def test_a_payment_reported_by_a_verb_is_known_by_its_key() -> None:
    account = Account.objects.create(email="ada@shop.example")
    [payment] = payments(account, 1)
    track.purchase(account, amount=1000, currency="USD", key=f"payment-{payment.pk}")
    assert backfill_model(Payment).known == 1


@pytest.fixture
def reported() -> Account:
    account = Account.objects.create(email="old@shop.example", partner_key="gstest")
    Payment.objects.create(account=account, total=10)
    return account


def contents(operation: str) -> list[dict[str, Any]]:
    rows = OutboxMessage.objects.filter(operation=operation).order_by("pk")
    return list(rows.values_list("payload", flat=True))


def test_a_customer_that_update_changed_is_queued_again(reported: Account) -> None:
    Account.objects.update(email="new@shop.example")
    done = backfill_model(Account)
    assert (done.queued, done.changed, done.known) == (0, 1, 0)
    assert [each["email"] for each in contents("customers.save")] == ["old@shop.example", "new@shop.example"]
    assert backfill_model(Account).known == 1


def test_a_customer_is_compared_with_its_last_data(reported: Account) -> None:
    reported.email = "new@shop.example"
    reported.save()
    assert backfill_model(Account).known == 1
    Account.objects.update(email="old@shop.example")
    assert backfill_model(Account).changed == 1


def test_a_changed_customer_is_only_counted_by_a_dry_run(reported: Account) -> None:
    Account.objects.update(email="new@shop.example")
    assert backfill_model(Account, dry_run=True).changed == 1
    assert len(contents("customers.save")) == 1


def test_a_changed_customer_of_the_other_mode_is_new(reported: Account) -> None:
    for rows in (OutboxMessage.objects, CustomerIdentity.objects):
        rows.update(mode="production")
    assert backfill_model(Account).queued == 1


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        ({"total": 11}, "1100 USD (minor units) of customer 'shop-account-{first}'"),
        ({"currency": "EUR"}, "1000 EUR (minor units) of customer 'shop-account-{first}'"),
        ({"account": "other"}, "1000 USD (minor units) of customer 'shop-account-{other}'"),
    ],
)
def test_a_payment_that_update_changed_is_listed_and_not_queued(
    reported: Account, change: dict[str, Any], difference: str
) -> None:
    other = Account.objects.create(email="other@shop.example")
    [payment] = Payment.objects.all()
    Payment.objects.update(**{**change, **({"account": other} if "account" in change else {})})
    done = backfill_model(Payment)
    now = difference.format(first=reported.pk, other=other.pk)
    assert (done.queued, done.known, done.differing, done.failed) == (0, 0, 1, 0)
    assert done.differences == [
        f"shop.Payment {payment.pk}: The transaction key 'payment-{payment.pk}' was reported by "
        f"shop.payment {payment.pk} before it was changed, with 1000 USD (minor units) of customer "
        f"'shop-account-{reported.pk}'; shop.payment {payment.pk} has {now}. Nothing was queued. Use another "
        "key for another payment. If this one has changed, correct it in the admin, or refund it."
    ]
    assert done.seen == 1
    assert len(contents("transactions.create")) == 1


def test_a_payment_that_only_the_mirror_has_is_compared_with_it() -> None:
    [account] = accounts(1)
    [payment] = payments(account, 1)
    Transaction.objects.create(mode="test", key=f"payment-{payment.pk}", amount=900, currency="USD")
    assert backfill_model(Payment).differences == [
        f"shop.Payment {payment.pk}: PartnerStack has 'payment-{payment.pk}' already, with another amount: "
        "900, not 1000. Nothing was queued."
    ]


def test_a_payment_whose_message_was_pruned_is_compared_with_its_key(
    reported: Account,
) -> None:
    ReportedKey.objects.update(reported_at=timezone.now())
    OutboxMessage.objects.filter(operation="transactions.create").delete()
    assert (backfill_model(Payment).known, backfill_model(Payment).differing) == (1, 0)
    Payment.objects.update(total=11)
    done = backfill_model(Payment)
    assert (done.known, done.differing, done.queued) == (0, 1, 0)


@pytest.mark.parametrize("model", [Account, Payment])
def test_the_number_of_queries_does_not_depend_on_what_the_page_holds(
    model: type[models.Model],
    django_assert_max_num_queries: Callable[[int], Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    registry = sources.customers if model is Account else sources.transactions
    usual = registry[model]
    monkeypatch.setitem(registry, model, lambda row: usual(row) if row.pk % 2 else 1 / 0)
    for account in accounts(60):
        payments(account, 1)
    backfill_model(model)
    Account.objects.filter(pk__lt=Account.objects.order_by("pk")[30].pk).update(email="new@shop.example")
    Payment.objects.filter(pk__lt=Payment.objects.order_by("pk")[30].pk).update(total=11)
    with django_assert_max_num_queries(13):
        done = backfill_model(model)
    assert done.failed == 30
    assert done.changed + done.differing == 15


def test_a_customer_without_a_usable_key_stops_no_other(settings: Any) -> None:
    settings.PARTNERSTACK_CUSTOMER_KEY = "tests.shop.keys.plain_name"
    Account.objects.bulk_create(
        [Account(email="a@shop.example", name=""), Account(email="b@shop.example", name="b")]
    )
    done = backfill_model(Account)
    assert (done.queued, done.failed) == (1, 1)
