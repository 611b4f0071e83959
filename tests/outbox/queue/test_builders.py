"""The messages that objects of the site are turned into."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db.models import F

from django_partnerstack import sources, track
from django_partnerstack.client.money import minor_units
from django_partnerstack.exceptions import InvalidArgument
from django_partnerstack.models import OutboxMessage, SourceFailure
from tests.shop.models import Account, Payment

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("total", "amount"),
    [
        (49, 4900),
        ("49", 4900),
        ("49.00", 4900),
        (Decimal("49"), 4900),
        (4900 / 100, 4900),
        (0.1 + 0.2, 30),
        (Decimal("19.99") * Decimal("1.19"), 2379),
    ],
)
def test_a_payment_is_reported_with_the_amount_that_the_database_stores(total: object, amount: int) -> None:
    account = Account.objects.create(email="ada@shop.example")
    payment = Payment.objects.create(account=account, total=total)
    message = OutboxMessage.objects.get(subject=f"payment-{payment.pk}")
    assert message.payload["amount"] == amount
    assert minor_units(Payment.objects.get().total, "USD") == amount
    assert payment.total == total


def test_an_amount_that_the_database_computes_is_read_back() -> None:
    account = Account.objects.create(email="ada@shop.example")
    payment = Payment.objects.create(account=account, total=Decimal("40"), paid=False)
    payment.total, payment.paid = F("total") + 9, True
    payment.save()
    assert OutboxMessage.objects.get(subject=f"payment-{payment.pk}").payload["amount"] == 4900


def test_a_customer_is_reported_with_the_values_that_the_database_stores() -> None:
    account = Account.objects.create(email="ada@shop.example", name=1815)
    assert OutboxMessage.objects.get(subject=f"shop-account-{account.pk}").payload["name"] == "1815"


def test_a_name_is_shortened_to_what_partnerstack_takes() -> None:
    account = Account.objects.create(email="ada@shop.example")
    track.signup(account, name="Ada " * 30)
    payload = OutboxMessage.objects.filter(subject=f"shop-account-{account.pk}")[0].payload
    assert payload["name"] == ("Ada " * 30)[:100]


def test_blanks_around_an_address_are_removed() -> None:
    account = Account.objects.create(email=" ada@shop.example ")
    assert (
        OutboxMessage.objects.get(subject=f"shop-account-{account.pk}").payload["email"] == "ada@shop.example"
    )


@pytest.mark.parametrize(
    ("details", "problem"),
    [
        ({"metadata": {"product": "x" * 101}}, "metadata"),
        ({"metadata": {"n" * 31: "x"}}, "metadata"),
        ({"metadata": {str(number): "x" for number in range(26)}}, "metadata"),
        ({"created_at": datetime(2026, 11, 1)}, "created_at must be a datetime with a time zone"),
        ({"created_at": date(2026, 11, 1)}, "created_at must be a datetime with a time zone"),
        ({"product_key": "x" * 256}, "product_key must have 1 to 255 characters"),
        ({"currency": "ZZZ"}, "not a currency of ISO 4217"),
        ({"currency": "XXX"}, "not a currency of ISO 4217"),
        ({"amount": 10**15}, "amount"),
    ],
)
def test_what_the_client_would_refuse_is_refused_when_it_is_queued(
    details: dict[str, Any], problem: str
) -> None:
    account = Account.objects.create(email="ada@shop.example")
    arguments: dict[str, Any] = {"amount": 4900, "currency": "USD", "key": "inv_1", **details}
    with pytest.raises(InvalidArgument, match=problem):
        track.purchase(account, **arguments)
    assert not OutboxMessage.objects.filter(subject="inv_1")
    assert track.purchase(account, amount=4900, currency="USD", key="inv_1")


@pytest.mark.parametrize("email", ["nobody", "a@b@c", "x" * 250 + "@shop.example"])
def test_an_address_that_the_client_would_refuse_is_refused_when_it_is_queued(email: str) -> None:
    account = Account.objects.create(email="ada@shop.example")
    with pytest.raises(InvalidArgument, match="email"):
        track.signup(account, email=email)


def test_a_shortened_name_is_noted_on_the_message() -> None:
    account = Account.objects.create(email="ada@shop.example", name="Ada")
    track.signup(account, name="Ada " * 30)
    notes = OutboxMessage.objects.filter(subject=f"shop-account-{account.pk}").order_by("pk")
    assert list(notes.values_list("note", flat=True)) == ["", "The name was shortened to 100 characters."]


@pytest.mark.parametrize("load", [{"only": ["paid"]}, {"defer": ["total"]}, {"defer": ["total", "account"]}])
def test_a_payment_that_was_loaded_without_its_amount_is_reported_with_it(load: dict[str, list[str]]) -> None:
    account = Account.objects.create(email="ada@shop.example")
    pk = Payment.objects.create(account=account, total=Decimal("49.00"), paid=False).pk
    [(method, fields)] = load.items()
    payment = getattr(Payment.objects, method)(*fields).get()
    payment.paid = True
    payment.save()
    assert OutboxMessage.objects.get(subject=f"payment-{pk}").payload["amount"] == 4900


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ("", "The source gave no reason."),
        (None, "The source gave no reason."),
        ("No\0thing \ud800", "No\N{REPLACEMENT CHARACTER}thing \N{REPLACEMENT CHARACTER}"),
    ],
)
def test_an_object_is_skipped_whatever_text_the_reason_is(
    monkeypatch: pytest.MonkeyPatch, given: Any, reason: str
) -> None:
    monkeypatch.setitem(sources.customers, Account, lambda account: sources.Skipped(given))
    Account.objects.create(email="ada@shop.example")
    [note] = OutboxMessage.objects.all()
    assert (note.state, note.reason) == ("skipped", reason)
    assert not SourceFailure.objects.exists()


def test_a_payment_without_a_customer_is_not_reported_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    account = Account.objects.create(email="ada@shop.example")
    data: Any = sources.TransactionData(key="inv-1", customer=None, amount=4900, currency="USD")  # type: ignore[arg-type]
    monkeypatch.setitem(sources.transactions, Payment, lambda payment: data)
    Payment.objects.create(account=account, total=49)
    [failure] = SourceFailure.objects.all()
    assert "The payment 'inv-1' has no customer" in failure.error


@pytest.mark.parametrize(
    ("key", "problem"),
    [
        (12345, r"must be a string; not 12345 \(int\)"),
        (None, "must be a string"),
        ("    ", "not only blanks"),
    ],
)
def test_a_key_that_cannot_be_used_is_refused_with_the_reason(key: Any, problem: str) -> None:
    account = Account.objects.create(email="ada@shop.example")
    with pytest.raises(InvalidArgument, match=problem):
        track.purchase(account, amount=4900, currency="USD", key=key)


def test_each_message_says_what_it_reports_about_which_object_of_which_customer() -> None:
    account = Account.objects.create(email="ada@shop.example")
    payment = Payment.objects.create(account=account, total="49.00")
    track.purchase(account, amount=700, currency="usd", key="inv_1", product_key="pro", category_key="saas")
    track.event(account, "demo", value=3, key="demo-1")
    track.event(account, "call")
    key, of_account, nothing = f"shop-account-{account.pk}", ("shop.account", str(account.pk)), ("", "")
    at_customer = {"target_type": "customer", "target_key": key}
    expected = [
        ("customers.save", key, of_account, {"customer_key": key, "email": "ada@shop.example"}),
        (
            "transactions.create",
            f"payment-{payment.pk}",
            ("shop.payment", str(payment.pk)),
            {"key": f"payment-{payment.pk}", "amount": 4900, "currency": "USD"},
        ),
        (
            "transactions.create",
            "inv_1",
            nothing,
            {"key": "inv_1", "amount": 700, "currency": "USD", "product_key": "pro", "category_key": "saas"},
        ),
        (
            "actions.create",
            "demo-1",
            of_account,
            {"type": "demo", "value": 3, "external_key": "demo-1", **at_customer},
        ),
        ("actions.create", "", of_account, {"type": "call", "value": 1, **at_customer}),
    ]
    found = list(OutboxMessage.objects.order_by("pk"))
    for message, (operation, subject, source, payload) in zip(found, expected, strict=True):
        if operation == "transactions.create":
            payload = {**payload, "customer_external_key": key}
        assert (message.operation, message.subject, message.payload) == (operation, subject, payload)
        assert (message.source, message.source_pk) == source
        assert (message.customer_source, message.customer_source_pk) == of_account
        assert message.lane == f"customer:{key}"
