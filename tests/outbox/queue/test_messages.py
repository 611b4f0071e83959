"""What is queued when the site saves an object, and what is a duplicate."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any, TypeVar

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.translation import gettext_lazy

from django_partnerstack import track
from django_partnerstack.exceptions import InvalidArgument
from django_partnerstack.models import CustomerIdentity, OutboxMessage, Transaction
from django_partnerstack.outbox.queue.messages import enqueue
from django_partnerstack.outbox.queue.new_message import NewMessage, customer_lane, fingerprint
from django_partnerstack.outbox.queue.retention import prune
from django_partnerstack.signals import message_queued
from tests.outbox.site import Site, account, message, messages, payment
from tests.shop.models import Account

T = TypeVar("T")

pytestmark = pytest.mark.django_db


def new_message(**changes: Any) -> NewMessage:
    given: dict[str, Any] = {
        "operation": "customers.save",
        "lane": "customer:a",
        "subject": "a",
        "payload": {"customer_key": "a", "email": "a@customers.example", "partner_key": "gstest"},
    }
    return NewMessage(**given | changes)


def test_a_saved_object_is_queued_in_the_same_transaction() -> None:
    with transaction.atomic():
        account()
        assert [each.operation for each in messages()] == ["customers.save"]


def test_a_rolled_back_object_is_never_sent(site: Site) -> None:
    with transaction.atomic():
        payment(account())
        transaction.set_rollback(True)
    assert messages() == []
    assert not site.push()


def statements(queries: Any) -> list[str]:
    """The first word of each statement and the table it is about."""
    found = []
    for query in queries:
        word = query["sql"].split()[0]
        table = re.search(r"(?:INTO|FROM|UPDATE) [`\"](?:partnerstack_|shop_)(\w+)", query["sql"])
        found.append(f"{word} {table[1]}" if table else word)
    return found


SELECT = "SELECT customeridentity"
#: The statements that a reported save adds. PostgreSQL takes two INSERTs in one statement.
ADDED = {
    "new": ["INSERT customeridentity", "INSERT outboxmessage"],
    "unchanged": [SELECT],
    "changed": [SELECT, "UPDATE customeridentity", "INSERT outboxmessage"],
    "paid": [SELECT, "INSERT reportedkey", "INSERT outboxmessage"],
    "paid again": [SELECT, "INSERT reportedkey", "SELECT reportedkey", "SELECT outboxmessage"],
}
ADDED_ON_POSTGRESQL = {
    **ADDED,
    "new": ["WITH customeridentity"],
    "changed": [SELECT, "WITH customeridentity"],
    "paid": ["WITH reportedkey"],
}


def test_a_save_costs_few_statements_in_one_savepoint() -> None:
    found = {}

    def save(what: str, work: Callable[[], T]) -> T:
        with CaptureQueriesContext(connection) as captured:
            made = work()
        [_, first, *found[what], last] = statements(captured)
        assert (first, last) == ("SAVEPOINT", "RELEASE")
        return made

    shop = save("new", account)
    save("unchanged", shop.save)
    shop.email = "b@customers.example"
    save("changed", shop.save)
    paid = save("paid", lambda: payment(shop))
    save("paid again", paid.save)
    # MySQL's driver does not return a statement that failed.
    found["paid again"] = [each.replace("None", "INSERT reportedkey") for each in found["paid again"]]
    assert found == (ADDED_ON_POSTGRESQL if connection.vendor == "postgresql" else ADDED)


def test_a_payment_finds_the_recorded_key_of_its_customer_without_reading_it_first(settings: Any) -> None:
    settings.PARTNERSTACK_KEY_PREFIX = "old-"
    shop = account()
    settings.PARTNERSTACK_KEY_PREFIX = "new-"
    payment(shop)
    keys = {each.lane for each in messages()}
    assert keys == {customer_lane(f"old-shop-account-{shop.pk}")}


def test_a_payment_of_an_unrecorded_customer_is_not_reported_under_a_key_that_another_has() -> None:
    CustomerIdentity.objects.create(mode="test", table="former", object_pk="9", key="shop-account-9")
    shop = Account(pk=9, email="a@customers.example")
    shop.save_base(raw=True)
    payment(shop)
    [paid] = messages()
    assert paid.subject
    assert paid.lane != customer_lane("shop-account-9")


def test_an_unchanged_customer_queues_nothing_and_a_changed_one_an_update(site: Site) -> None:
    shop = account()
    site.push()
    shop.save()
    assert len(messages()) == 1
    shop.email = "new@customers.example"
    shop.save()
    site.push()
    assert message("customers.update").state == "delivered"
    assert site.sandbox.objects("customers")[0]["email"] == "new@customers.example"


def test_a_customer_that_changes_back_is_reported_as_changed(site: Site) -> None:
    shop = account(email="a@customers.example")
    for email in ("b@customers.example", "a@customers.example"):
        shop.email = email
        shop.save()
    site.push()
    assert site.sandbox.objects("customers")[0]["email"] == "a@customers.example"


def test_a_payment_is_queued_only_once(site: Site) -> None:
    paid = payment(account())
    paid.save()
    site.push()
    paid.save()
    assert len(messages(source="shop.payment")) == 1


def test_a_payment_is_not_queued_again_after_its_message_was_pruned(site: Site) -> None:
    paid = payment(account())
    site.push()
    prune("test", timezone.now() + timedelta(days=1))
    paid.save()
    assert messages(source="shop.payment") == []


def test_a_payment_that_was_pulled_from_partnerstack_is_not_queued() -> None:
    shop = account()
    Transaction.objects.create(mode="test", key="payment-7")
    payment(shop, pk=7)
    assert messages(source="shop.payment") == []


def test_a_payment_of_the_other_mode_is_another_payment() -> None:
    Transaction.objects.create(mode="production", key="payment-7")
    payment(account(), pk=7)
    assert len(messages(source="shop.payment")) == 1


def test_an_event_with_a_key_is_queued_only_once(site: Site) -> None:
    shop = account()
    assert track.event(shop, "demo", key="demo-1")
    site.push()
    prune("test", timezone.now() + timedelta(days=1))
    assert not track.event(shop, "demo", key="demo-1")


def test_an_event_without_a_key_is_queued_each_time() -> None:
    shop = account()
    assert track.event(shop, "demo")
    assert track.event(shop, "demo")


def test_bulk_operations_queue_nothing() -> None:
    Account.objects.bulk_create([Account(email="a@customers.example")])
    Account.objects.update(name="Changed")
    assert messages() == []


def test_the_content_is_fixed_when_a_message_is_queued(site: Site) -> None:
    paid = payment(account(), total="49.00")
    paid.total = Decimal("99.00")
    paid.save()
    site.push()
    assert site.sandbox.objects("transactions")[0]["amount"] == 4900


def test_a_message_whose_content_was_changed_is_not_sent(site: Site) -> None:
    payment(account())
    queued = message("transactions.create")
    OutboxMessage.objects.filter(pk=queued.pk).update(payload={**queued.payload, "amount": 1})
    site.push()
    assert message("transactions.create").state == "dead"
    assert site.effects("transactions.create") == {}


@pytest.mark.parametrize(
    "meta",
    [
        {"score": 1e16, "tiny": 1e-7, "none": -0.0, "whole": 1.0, "big": 2**70},
        {"ключ": "значение 🎉", "\u2028": "\x7f", "nested": {"b": [1, None, True], "a": ()}},
        {1: "one", "quote": "\"'\\", "percent": "%s %(x)s"},
    ],
)
def test_any_content_is_the_same_after_the_database_stored_it(site: Site, meta: dict[Any, Any]) -> None:
    content = {"customer_key": "a", "email": "a@customers.example", "partner_key": "gstest", "meta": meta}
    enqueue(new_message(payload=content), mode="test")
    found = message("customers.save")
    assert fingerprint(found.payload) == found.fingerprint
    site.push()
    assert message("customers.create").state == "delivered"


def test_data_with_another_order_of_names_are_unchanged() -> None:
    payload = new_message().payload
    assert enqueue(new_message(), mode="test")
    assert not enqueue(new_message(payload=dict(reversed(payload.items()))), mode="test")


@pytest.mark.parametrize(
    "value",
    [Decimal("1.5"), timezone.now(), gettext_lazy("a"), float("nan"), float("inf"), {1, 2}, b"a", object()],
)
def test_content_that_is_no_json_is_refused_by_name(value: Any) -> None:
    with pytest.raises(InvalidArgument, match=r"customers.save 'a' cannot be stored as JSON"):
        enqueue(new_message(payload={"customer_key": "a", "meta": {"plan": value}}), mode="test")
    assert messages() == []


@pytest.mark.parametrize("text", ["a\0b", "\ud800", "\\\0"])
def test_text_that_no_database_can_store_is_refused(text: str) -> None:
    with pytest.raises(InvalidArgument, match=r"^customers\.save"):
        enqueue(new_message(payload={"customer_key": "a", "name": text}), mode="test")
    with pytest.raises(InvalidArgument, match=r"^customers\.save"):
        enqueue(new_message(subject=text), mode="test")


@pytest.mark.parametrize("text", ["\\u0000", "\\\\u0000", "C:\\users"])
def test_text_that_only_looks_like_an_escape_is_queued(text: str) -> None:
    enqueue(new_message(payload={"customer_key": "a", "name": text}), mode="test")
    assert message("customers.save").payload["name"] == text


def test_a_key_that_is_too_long_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="255"):
        enqueue(new_message(subject="a" * 256), mode="test")
    with pytest.raises(InvalidArgument, match="255"):
        track.event(account(), "demo", key="k" * 256)
    with pytest.raises(InvalidArgument, match="240"):
        track.purchase(account(), amount=1, currency="USD", key="k" * 241)


def test_the_longest_keys_fit() -> None:
    key = "ключ" * 60
    enqueue(new_message(subject=key, lane=customer_lane(key + "x" * 15)), mode="test")
    assert track.purchase(account(), amount=1, currency="USD", key=key)


def test_a_refused_message_does_not_break_the_callers_transaction() -> None:
    with transaction.atomic():
        with pytest.raises(InvalidArgument):
            enqueue(new_message(payload={"meta": object()}), mode="test")
        account()
    assert len(messages()) == 1


def test_a_database_error_does_not_break_the_callers_transaction() -> None:
    with transaction.atomic():
        with pytest.raises(IntegrityError):
            enqueue(new_message(operation=None), mode="test")
        account()
    assert Account.objects.count() == 1


def test_workers_are_notified_after_the_commit(django_capture_on_commit_callbacks: Any) -> None:
    notified: list[str] = []

    def receive(lane: str, **kwargs: Any) -> None:
        notified.append(lane)

    message_queued.connect(receive)
    with django_capture_on_commit_callbacks(execute=True):
        shop = account()
        assert notified == []
    message_queued.disconnect(receive)
    assert notified == [f"customer:shop-account-{shop.pk}"]


def test_a_failing_receiver_does_not_fail_the_save(django_capture_on_commit_callbacks: Any) -> None:
    def fail(**kwargs: Any) -> None:
        raise ZeroDivisionError

    message_queued.connect(fail)
    with django_capture_on_commit_callbacks(execute=True):
        account()
    message_queued.disconnect(fail)


def test_a_message_refers_to_the_objects_that_it_reports() -> None:
    shop = account()
    paid = payment(shop)
    found = message("transactions.create")
    assert (found.source, found.source_pk) == ("shop.payment", str(paid.pk))
    assert (found.customer_source, found.customer_source_pk) == ("shop.account", str(shop.pk))
    assert connection.alias == "default"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("committed", [True, False])
def test_two_processes_that_save_the_same_payment_at_once_queue_it_once(committed: bool) -> None:
    queued, answers = threading.Event(), []
    paid = new_message(operation="transactions.create", payload={"key": "pay_1"})

    def first() -> None:
        with transaction.atomic():
            answers.append(enqueue(paid, mode="test"))
            queued.set()
            time.sleep(0.3)  # the other is waiting for the database by then
            transaction.set_rollback(not committed)
        connection.close()

    thread = threading.Thread(target=first)
    thread.start()
    assert queued.wait(10)
    with transaction.atomic():
        answers.append(enqueue(paid, mode="test"))
        account()
    thread.join()
    assert answers == [True, not committed]
    assert len(messages("transactions.create")) == 1
    assert Account.objects.count() == 1
