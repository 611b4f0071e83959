"""Transactions of the site that run at once, and report the same or their own objects, on real databases."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.db import DatabaseError, OperationalError, connection, transaction

from django_partnerstack import sources, track
from tests.outbox.site import account, messages, payment
from tests.shop.models import Account, Payment

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif("connection.vendor == 'sqlite'", reason="SQLite lets one transaction in at a time."),
]

#: PostgreSQL's and MariaDB's own codes of a deadlock, by which a site decides to begin again.
DEADLOCK = ("40P01", 1213)
ISOLATION = {
    "postgresql": "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL {}",
    "mysql": "SET SESSION TRANSACTION ISOLATION LEVEL {}",
}


def at_once(*jobs: Callable[[], object]) -> None:
    """Run each job in a thread with a connection of its own."""

    def run(job: Callable[[], object]) -> None:
        try:
            job()
        finally:
            connection.close()

    team = [threading.Thread(target=run, args=(job,)) for job in jobs]
    for thread in team:
        thread.start()
    for thread in team:
        thread.join(30)
        assert not thread.is_alive()


def code(error: DatabaseError) -> Any:
    return getattr(error.__cause__, "sqlstate", None) or error.args[0]


@pytest.fixture
def keys(monkeypatch: Any) -> Callable[[Account, str], object]:
    """Saves a payment whose source gives it a key of the test, as that of a billing service's invoice."""
    mine = threading.local()

    def source(paid: Payment) -> sources.TransactionData:
        return sources.TransactionData(key=mine.key, customer=paid.account, amount=4900, currency="USD")

    monkeypatch.setitem(sources.transactions, Payment, source)

    def save(shop: Account, key: str) -> object:
        mine.key = key
        return payment(shop)

    return save


def purchase(shop: Account, key: str) -> object:
    return track.purchase(shop, amount=4900, currency="USD", key=key)


@pytest.mark.parametrize("way", ["save", "track"])
def test_a_deadlock_is_told_to_the_site_as_the_databases_own_error_and_its_transaction_is_gone(
    keys: Any, way: str
) -> None:
    shop, report = account(), keys if way == "save" else purchase
    both_have_one, told = threading.Barrier(2), {}

    def host(name: str, order: tuple[str, str]) -> None:
        try:
            with transaction.atomic():
                Account.objects.create(email=f"{name}@customers.example")
                for key in order:
                    report(shop, key)
                    if key == order[0]:
                        both_have_one.wait(10)
            told[name] = "saved"
        except OperationalError as error:
            told[name] = code(error)

    # Other keys in each test: MariaDB locks more than a row around one that was deleted a moment ago.
    one, two = f"{way}_1", f"{way}_2"
    at_once(lambda: host("first", (one, two)), lambda: host("second", (two, one)))
    assert sorted(told.values(), key=str)[-1] == "saved"
    assert set(told.values()) - {"saved"} < set(DEADLOCK)
    for name, outcome in told.items():
        assert Account.objects.filter(email=f"{name}@customers.example").exists() is (outcome == "saved")
    assert sorted(each.subject for each in messages("transactions.create")) == [one, two]


def test_a_webhook_that_arrives_twice_at_once_makes_no_transaction_fail() -> None:
    shop, told = account(), Counter[str]()
    first_has_one = threading.Event()

    def host(name: str) -> None:
        with transaction.atomic():
            for key in ("twice_1", "twice_2", "twice_3"):
                purchase(shop, key)
                first_has_one.set()
                # The other waits for this transaction meanwhile.
                threading.Event().wait(0.1)
        told[name] += 1

    def second() -> None:
        first_has_one.wait(10)
        host("second")

    at_once(lambda: host("first"), second)
    assert told == {"first": 1, "second": 1}
    assert [each.subject for each in messages("transactions.create")] == ["twice_1", "twice_2", "twice_3"]


def test_a_payment_that_waits_for_another_transaction_delays_no_other_payment() -> None:
    shop, waits, done = account(), threading.Event(), threading.Event()

    def waiting() -> None:
        waits.set()
        purchase(shop, "waits_1")
        assert done.is_set()

    def others() -> None:
        waits.wait(10)
        threading.Event().wait(0.3)
        purchase(shop, "waits_2")
        done.set()

    def host() -> None:
        with transaction.atomic():
            purchase(shop, "waits_1")
            threading.Thread(target=at_once, args=(waiting, others)).start()
            assert done.wait(10)

    at_once(host)


def run_customers(level: str, prefix: str) -> Counter[str]:
    """Four requests at a time each save a customer with two payments, thirty times."""
    counts = Counter[str]()

    def requests(thread: int) -> None:
        with connection.cursor() as cursor:
            cursor.execute(ISOLATION[connection.vendor].format(level))
        for number in range(30):
            try:
                with transaction.atomic():
                    shop = account(email=f"{prefix}-{thread}-{number}@customers.example")
                    payment(shop)
                    payment(shop)
                counts["saved"] += 1
            except OperationalError:
                counts["failed"] += 1

    at_once(*(lambda thread=thread: requests(thread) for thread in range(4)))
    return counts


@pytest.mark.parametrize("level", ["REPEATABLE READ", "SERIALIZABLE"])
def test_a_strict_isolation_level_makes_hardly_more_transactions_fail_with_the_app_than_without(
    monkeypatch: Any, level: str
) -> None:
    with monkeypatch.context() as without:
        without.setattr(sources, "customers", {})
        without.setattr(sources, "transactions", {})
        plain = run_customers(level, "plain")
    assert not messages()
    reported = run_customers(level, "reported")
    # A few fail by chance, as two transactions that come upon one page of an index.
    assert reported["failed"] <= max(2 * plain["failed"], 6)
    assert len(messages()) == 3 * reported["saved"]
