"""What no signal told of is found by comparing the site's rows with its messages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.db import models

from django_partnerstack import sources, track
from django_partnerstack.models import Customer, OutboxMessage, State, Transaction
from django_partnerstack.outbox.backfill import PAGE, Backfilled, backfill, reported_models
from tests.shop.models import Account, Payment

pytestmark = pytest.mark.django_db


def accounts(number: int, **fields: Any) -> list[Account]:
    """Written in bulk, so that no signal was sent."""
    rows = (Account(email=f"owner{n}@shop.example", **fields) for n in range(number))
    return Account.objects.bulk_create(rows)


def payments(account: Account, number: int, **fields: Any) -> list[Payment]:
    return Payment.objects.bulk_create(Payment(account=account, total=10, **fields) for _ in range(number))


def fill(model: type[models.Model], **options: Any) -> Backfilled:
    return backfill(model, mode="test", on_page=lambda done: None, **options)


def test_customers_come_before_their_transactions() -> None:
    names = [model.__name__ for model in reported_models()]
    assert names == sorted(names)
    assert {Account, Payment} <= set(reported_models())


def test_what_was_written_in_bulk_is_queued() -> None:
    [account] = accounts(1, partner_key="gstest")
    [payment] = payments(account, 1)
    assert (fill(Account).queued, fill(Payment).queued) == (1, 1)
    subjects = list(OutboxMessage.objects.order_by("pk").values_list("subject", flat=True))
    assert subjects == [f"account-{account.pk}", f"payment-{payment.pk}"]


def test_it_is_safe_to_repeat() -> None:
    [account] = accounts(1)
    payments(account, 2)
    for model in (Account, Payment):
        fill(model)
    again = [fill(model) for model in (Account, Payment)]
    assert [(done.queued, done.known) for done in again] == [(0, 1), (0, 2)]
    assert OutboxMessage.objects.count() == 3


def test_what_was_saved_is_known() -> None:
    account = Account.objects.create(email="ada@shop.example")
    Payment.objects.create(account=account, total=10)
    assert [fill(model).known for model in (Account, Payment)] == [1, 1]


def test_what_partnerstack_has_already_is_known() -> None:
    [account] = accounts(1)
    [payment] = payments(account, 1)
    Customer.objects.create(mode="test", key="cus_1", customer_key=f"account-{account.pk}")
    Transaction.objects.create(mode="test", key=f"payment-{payment.pk}", amount=1000, currency="USD")
    assert [fill(model).known for model in (Account, Payment)] == [1, 1]
    assert not OutboxMessage.objects.exists()


def test_rows_of_the_other_mode_are_not_known() -> None:
    [account] = accounts(1)
    Customer.objects.create(mode="production", key="cus_1", customer_key=f"account-{account.pk}")
    assert fill(Account).queued == 1


def test_what_is_not_to_be_reported_is_counted_by_reason_and_noted_once() -> None:
    [account] = accounts(1)
    payments(account, 2, paid=False)
    for _ in range(2):
        assert fill(Payment).skipped == {"Not paid yet.": 2}
    assert OutboxMessage.objects.filter(state=State.SKIPPED).count() == 2


def test_what_was_not_to_be_reported_once_is_queued_when_it_is() -> None:
    [account] = accounts(1)
    payments(account, 1, paid=False)
    fill(Payment)
    Payment.objects.update(paid=True)
    assert fill(Payment).queued == 1


def test_an_object_whose_source_fails_is_told_of_and_stops_no_other() -> None:
    [account] = accounts(1)
    [bad] = payments(account, 1, currency="?")
    payments(account, 1)
    done = fill(Payment)
    assert (done.queued, done.failed) == (1, 1)
    assert done.failures[0].startswith(f"shop.Payment {bad.pk}: ")


def test_a_rehearsal_counts_the_same_and_queues_nothing() -> None:
    [account] = accounts(1)
    payments(account, 2)
    payments(account, 1, paid=False)
    done = fill(Payment, dry_run=True)
    assert (done.queued, done.skipped.total()) == (2, 1)
    assert not OutboxMessage.objects.exists()


@pytest.mark.parametrize("model", [Account, Payment])
def test_objects_cost_no_query_each(
    model: type[models.Model], django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    for account in accounts(200):
        payments(account, 1)
    with django_assert_max_num_queries(9):
        assert fill(model).queued == 200
    with django_assert_max_num_queries(5):
        assert fill(model).known == 200


@pytest.fixture
def described() -> Iterator[dict[str, Any]]:
    """What the source of payments says besides, or instead."""
    fields: dict[str, Any] = {}
    usual = sources.transactions[Payment]
    sources.transactions[Payment] = lambda payment: replace(usual(payment), **fields)
    yield fields
    sources.transactions[Payment] = usual


def test_one_that_cannot_be_written_down_is_told_of(described: dict[str, Any]) -> None:
    [account] = accounts(1)
    [payment] = payments(account, 1)
    described["metadata"] = {"note": "\x00"}
    [failure] = fill(Payment).failures
    assert failure.startswith(f"shop.Payment {payment.pk}: InvalidArgument")


def test_two_payments_under_one_key_are_queued_once(described: dict[str, Any]) -> None:
    [account] = accounts(1)
    payments(account, 2)
    described["key"] = "payment-1"
    done = fill(Payment)
    assert (done.queued, done.known) == (1, 1)


def test_an_end_in_the_middle_keeps_the_pages_before_it() -> None:
    accounts(PAGE + 1)

    def end(done: Backfilled) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        backfill(Account, mode="test", on_page=end)
    assert OutboxMessage.objects.count() == PAGE
    assert fill(Account).queued == 1


def test_a_payment_that_was_told_by_a_verb_is_known_by_its_key() -> None:
    account = Account.objects.create(email="ada@shop.example")
    [payment] = payments(account, 1)
    track.purchase(account, amount=1000, currency="USD", key=f"payment-{payment.pk}")
    assert fill(Payment).known == 1
