"""
The books of a site of any size, with known differences: its payments, what was reported, and the mirror.

The rows are those that reporting, delivering and syncing leave, written in bulk.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db import models
from django.utils import timezone

from django_partnerstack.client.money import minor_units
from django_partnerstack.insight.reconciliation.run import Reconciled
from django_partnerstack.models import (
    Attribution,
    Customer,
    CustomerIdentity,
    LaneStatus,
    OutboxLane,
    OutboxMessage,
    ReportedKey,
    State,
    SyncState,
    Transaction,
)
from tests.shop.models import Account, Payment

NOW = timezone.now()
LAST_WEEK = NOW - timedelta(days=7)
PARTNER = "gstest"
#: Payments of a customer.
EACH = 5
CREATE, DELETE = "transactions.create", "transactions.delete"


@dataclass
class Book:
    """A payment and the rows about it. A plant changes them before they are written."""

    payment: Payment
    customer: str
    rows: list[models.Model]

    @property
    def key(self) -> str:
        return f"payment-{self.payment.pk}"

    @property
    def minor(self) -> int:
        return minor_units(self.payment.total, self.payment.currency)

    def reported(
        self, key: str = "", *, deletes: bool = False, amount: int = 0, at: Any = LAST_WEEK
    ) -> ReportedKey:
        content: dict[str, Any] = {}
        if not deletes:
            content = {
                "customer_key": self.customer,
                "amount": amount or self.minor,
                "currency": self.payment.currency,
            }
        dedupe_key = f"{DELETE if deletes else CREATE}:{key or self.key}"
        return ReportedKey(mode="test", dedupe_key=dedupe_key, reported_at=at, **content)

    def there(self, key: str = "", **columns: Any) -> Transaction:
        usual = {
            "customer_key": f"cus_{self.customer}",
            "customer_external_key": self.customer,
            "amount": self.minor,
            "currency": self.payment.currency,
            "remote_created_at": LAST_WEEK,
            "synced_at": NOW,
        }
        return Transaction(mode="test", key=key or self.key, **{**usual, **columns})

    def message(self, state: State, operation: str = CREATE, key: str = "", **columns: Any) -> OutboxMessage:
        payload = {
            "key": key or self.key,
            "customer_external_key": self.customer,
            "amount": self.minor,
            "currency": self.payment.currency,
        }
        return OutboxMessage(
            mode="test",
            lane=f"customer:{self.customer}",
            operation=operation,
            subject=self.key,
            payload=payload if operation == CREATE else {"key": key or self.key},
            fingerprint="0" * 64,
            dedupe_key=f"{operation}:{key or self.key}",
            state=state,
            queued_at=LAST_WEEK,
            **columns,
        )


# What differs. Each takes the book of a payment that agrees, and changes it.


def not_reported(book: Book) -> None:
    book.rows = []


def waits_for_its_customer(book: Book) -> None:
    book.rows = [book.reported(at=None), book.message(State.WAITING)]


def failed(book: Book) -> None:
    book.rows = [book.reported(at=None), book.message(State.FAILED)]


def refund_on_hold(book: Book) -> None:
    book.rows += [book.reported(deletes=True, at=None), book.message(State.ON_HOLD, DELETE)]


def never_arrived(book: Book) -> None:
    book.rows = [book.reported()]


def deleted_there(book: Book) -> None:
    book.rows = [book.reported(), book.there(missing_since=NOW)]


def other_amount(book: Book) -> None:
    book.rows = [book.reported(), book.there(amount=book.minor + 100)]


def changed_here(book: Book) -> None:
    """After a refund, so that PartnerStack has the rest, which is not what differs."""
    rest = f"{book.key}~r1"
    book.rows = [
        book.reported(amount=book.minor + 100),
        book.reported(deletes=True),
        book.there(archived=True, missing_since=NOW, amount=book.minor + 100),
        book.reported(rest, amount=500),
        book.there(rest, amount=500),
    ]


def other_currency(book: Book) -> None:
    book.rows = [book.reported(), book.there(currency="EUR")]


def other_customer(book: Book) -> None:
    book.rows = [book.reported(), book.there(customer_external_key="shop-account-0", customer_key="cus_0")]


def not_refunded(book: Book) -> None:
    book.rows += [book.reported(deletes=True)]


def listed_after_its_deletion(book: Book) -> None:
    book.rows = [book.reported(), book.reported(deletes=True), book.there(archived=True)]


def two_integrations(book: Book) -> None:
    book.rows += [book.there(f"ch_{book.payment.pk}", remote_created_at=LAST_WEEK + timedelta(hours=3))]


def rest_beside_the_whole(book: Book) -> None:
    rest = f"{book.key}~r1"
    book.rows += [book.reported(deletes=True), book.reported(rest, amount=500), book.there(rest, amount=500)]


def unknown(book: Book) -> None:
    """And nothing of this site is near it."""
    book.rows += [book.there(f"in_{book.payment.pk}", amount=7, remote_created_at=NOW)]


def failing_source(book: Book) -> None:
    book.payment.currency = "?"
    book.rows = []


# What does not differ.


def on_its_way(book: Book) -> None:
    book.rows = [book.reported(at=None), book.message(State.SCHEDULED)]


def unconfirmed_refund(book: Book) -> None:
    book.rows += [book.reported(deletes=True, at=None), book.message(State.UNCONFIRMED, DELETE)]


def just_delivered(book: Book) -> None:
    book.rows = [book.reported(at=NOW)]


def refunded(book: Book) -> None:
    book.rows = [
        book.reported(),
        book.reported(deletes=True),
        book.there(archived=True, raw={"archived": True}),
    ]


def refunded_in_part(book: Book) -> None:
    rest = f"{book.key}~r1"
    book.rows = [
        book.reported(),
        book.reported(deletes=True),
        book.there(archived=True, missing_since=NOW),
        book.reported(rest, amount=500),
        book.there(rest, amount=500),
    ]


def refund_cancelled(book: Book) -> None:
    book.rows += [book.reported(deletes=True, at=None), book.message(State.CANCELLED, DELETE)]


def cancelled(book: Book) -> None:
    book.rows = [book.reported(at=None), book.message(State.CANCELLED)]


def not_paid(book: Book) -> None:
    book.payment.paid = False
    book.rows = []


def reported_by_other_means(book: Book) -> None:
    book.rows = [book.there()]


def without_the_sites_customer_key(book: Book) -> None:
    book.rows = [book.reported(), book.there(customer_external_key="")]


def pruned(book: Book) -> None:
    """Its message was deleted; this is how most payments are."""


def bought_twice(book: Book) -> None:
    """Two payments of the same amount within an hour, both of this site: see ``EACH`` and the amounts."""


DIFFERENT: tuple[tuple[str, Callable[[Book], None]], ...] = (
    ("not-reported", not_reported),
    ("not-reported", waits_for_its_customer),
    ("needs-attention", failed),
    ("needs-attention", refund_on_hold),
    ("not-there", never_arrived),
    ("not-there", deleted_there),
    ("amount", other_amount),
    ("amount", changed_here),
    ("currency", other_currency),
    ("customer", other_customer),
    ("not-refunded", not_refunded),
    ("not-refunded", listed_after_its_deletion),
    ("not-here", unknown),
    ("duplicate", two_integrations),
    ("duplicate", rest_beside_the_whole),
    ("source-failed", failing_source),
)
SAME = (
    on_its_way,
    unconfirmed_refund,
    just_delivered,
    refunded,
    refunded_in_part,
    refund_cancelled,
    cancelled,
    not_paid,
    reported_by_other_means,
    without_the_sites_customer_key,
    pruned,
    bought_twice,
)


def write(payments: int, *, each: int = 1, batch: int = 1000) -> Counter[str]:
    """
    Write the books of a site with this many payments, most of which agree.

    The first differ: ``each`` of every plant, with one more for each plant than for the one before. Returns
    how many differences of each kind there are.
    """
    expected: Counter[str] = Counter()
    plan: list[Callable[[Book], None]] = []
    for number, (code, plant) in enumerate(DIFFERENT):
        plan += [plant] * (each * (number % 4 + 1))
        expected[code] += each * (number % 4 + 1)
    plan += [plant for plant in SAME for _ in range(each)]
    # Spread over the customers.
    planted = {place * max(payments // (len(plan) + 1), 1): plant for place, plant in enumerate(plan)}
    for start in range(0, payments, batch):
        _write_batch(range(start, min(start + batch, payments)), planted)
    expected += _write_customers(each)
    for resource in ("customers", "transactions"):
        SyncState.objects.create(
            mode="test", resource=resource, completed_at=NOW - timedelta(hours=1), full_completed_at=NOW
        )
    return expected


def _write_batch(numbers: range, planted: dict[int, Callable[[Book], None]]) -> None:
    accounts = Account.objects.bulk_create(
        Account(email=f"{number}@shop.example", partner_key=PARTNER) for number in numbers[::EACH]
    )
    rows: list[models.Model] = [row for account in accounts for row in customer_rows(account)]
    payments = Payment.objects.bulk_create(
        Payment(account=accounts[place // EACH], total=Decimal(10 + place % 2))
        for place in range(len(numbers))
    )
    for number, payment in zip(numbers, payments, strict=True):
        book = Book(payment, f"shop-account-{payment.account_id}", [])
        book.rows = [book.reported(), book.there()]
        if number in planted:
            planted[number](book)
            Payment.objects.filter(pk=payment.pk).update(paid=payment.paid, currency=payment.currency)
        rows += book.rows
    create(rows)


def customer_rows(
    account: Account, *, status: LaneStatus = LaneStatus.OPEN, **columns: Any
) -> list[models.Model]:
    """A customer whom PartnerStack has, or one who is organic."""
    key = f"shop-account-{account.pk}"
    identity = CustomerIdentity(
        mode="test",
        table="shop_account",
        object_pk=str(account.pk),
        model="shop.account",
        key=key,
        last_reported="0" * 64,
    )
    lane = OutboxLane(mode="test", key=f"customer:{key}", status=status)
    if status == LaneStatus.ORGANIC:
        return [identity, lane]
    usual = {"customer_key": key, "partner_key": PARTNER, "remote_created_at": LAST_WEEK}
    return [identity, lane, Customer(mode="test", key=f"cus_{key}", **{**usual, **columns})]


def _write_customers(each: int) -> Counter[str]:
    """Customers of each kind, with a payment if they are organic."""
    expected: Counter[str] = Counter()
    for _ in range(each):
        for code, rows in _customers():
            create(rows)
            if code:
                expected[code] += 1
    expected["unattributed"] += each  # Its payment.
    return expected


def _customers() -> Iterable[tuple[str, list[models.Model]]]:
    yield "partner", customer_rows(account(), partner_key="another")
    yield "not-reported", []
    account(PARTNER)
    yield "not-there", customer_rows(account())[:2]
    yield "not-here", [Customer(mode="test", key=f"cus_{key()}", customer_key=f"crm-{key()}")]
    yield "", customer_rows(organic := account(""), status=LaneStatus.ORGANIC)
    yield "", organic_payment(organic)
    yield "", []
    account("")  # Never queued, and would be organic.
    yield "unattributed", customer_rows(clicked := account(""), status=LaneStatus.ORGANIC)
    click = Attribution(
        mode="test",
        customer_key=f"shop-account-{clicked.pk}",
        method="cookie",
        click_id="xid-1",
        bound_at=LAST_WEEK,
    )
    yield "", [click, *organic_payment(clicked)]


def account(partner_key: str = PARTNER) -> Account:
    return Account.objects.bulk_create([Account(email="one@shop.example", partner_key=partner_key)])[0]


def key() -> int:
    return Account.objects.order_by("-pk").values_list("pk", flat=True)[0] + Customer.objects.count()


def organic_payment(account: Account) -> list[models.Model]:
    [payment] = Payment.objects.bulk_create([Payment(account=account, total=Decimal(20))])
    book = Book(payment, f"shop-account-{account.pk}", [])
    return [book.reported(at=None), book.message(State.ORGANIC)]


def create(rows: Iterable[models.Model]) -> None:
    by_model: dict[type[models.Model], list[models.Model]] = {}
    for row in rows:
        by_model.setdefault(type(row), []).append(row)
    for model, found in by_model.items():
        model._base_manager.bulk_create(found, batch_size=500)


def found(result: Reconciled) -> Counter[str]:
    """How many differences of each kind a reconciliation found."""
    return Counter({code: tally.count for code, tally in result.tally.kinds.items() if tally.count})


def plant(change: Callable[[Book], None], *, total: str = "49.00", currency: str = "USD") -> Book:
    """A payment of a customer whom PartnerStack has, with one of the changes."""
    owner = account()
    [payment] = Payment.objects.bulk_create([Payment(account=owner, total=Decimal(total), currency=currency)])
    book = Book(payment, f"shop-account-{owner.pk}", [])
    book.rows = [book.reported(), book.there()]
    change(book)
    Payment.objects.filter(pk=payment.pk).update(paid=payment.paid, currency=payment.currency)
    create([*customer_rows(owner), *book.rows])
    return book


def message_of(book: Book) -> OutboxMessage:
    return OutboxMessage.objects.get(subject=book.key)
