from __future__ import annotations

from decimal import Decimal

from django.http import HttpRequest

from django_partnerstack import sources
from tests.shop.models import Account, Payment


@sources.customer(Account)
def account(account: Account) -> sources.CustomerData:
    return sources.CustomerData(email=account.email)


@sources.customer(Account)
def perhaps(account: Account) -> sources.CustomerData | sources.Skipped | None:
    return sources.Skipped("a test account") if account.email == "test@example.com" else None


@sources.transaction(Payment)
def payment(payment: Payment) -> sources.TransactionData | None:
    if not payment.paid:
        return None
    return sources.TransactionData(
        key=f"payment-{payment.pk}", customer=payment.account, amount=payment.total, currency=payment.currency
    )


@sources.customer(Account)  # type: ignore[arg-type]
def neither_model_nor_data(number: int) -> str:
    return str(number)


@sources.customer(Account)  # type: ignore[arg-type]
def another_model(payment: Payment) -> sources.CustomerData:
    return sources.CustomerData(email=payment.account.email)


@sources.customer(Account)  # type: ignore[arg-type]
def data_of_a_transaction(account: Account) -> sources.TransactionData:
    return sources.TransactionData(key="inv_1", customer=account, amount=4900, currency="USD")


@sources.transaction(Payment)  # type: ignore[arg-type]
def data_of_a_customer(payment: Payment) -> sources.CustomerData:
    return sources.CustomerData(email=payment.account.email)


@sources.customer(Account)  # type: ignore[arg-type]
def more_arguments(account: Account, request: HttpRequest) -> sources.CustomerData:
    return sources.CustomerData(email=account.email)


def a_source_stays_callable(given: Account) -> None:
    account(given)
    account(Payment())  # type: ignore[arg-type]


def amounts_are_decimals_or_minor_units(given: Account) -> None:
    sources.TransactionData(key="inv_1", customer=given, amount=Decimal("49.00"), currency="USD")
    sources.TransactionData(key="inv_1", customer=given, amount=49.0, currency="USD")  # type: ignore[arg-type]
    sources.CustomerData(mail="a@example.com")  # type: ignore[call-arg]
