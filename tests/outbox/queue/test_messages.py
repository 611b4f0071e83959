"""What is queued when a site saves something."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy

from django_partnerstack import track
from django_partnerstack.exceptions import InvalidArgument
from django_partnerstack.models import OutboxMessage, Transaction
from django_partnerstack.outbox.queue.messages import NewMessage, customer_lane, enqueue, fingerprint
from django_partnerstack.outbox.queue.retention import prune
from django_partnerstack.signals import message_queued
from tests.outbox.site import Site, account, message, messages, payment
from tests.shop.models import Account

pytestmark = pytest.mark.django_db


def draft(**changes: Any) -> NewMessage:
    given: dict[str, Any] = {
        "operation": "customers.save",
        "lane": "customer:a",
        "subject": "a",
        "payload": {"customer_key": "a", "email": "a@customers.example", "partner_key": "gstest"},
    }
    return NewMessage(**given | changes)


def test_what_is_saved_is_queued_in_the_same_transaction() -> None:
    with transaction.atomic():
        account()
        assert [each.operation for each in messages()] == ["customers.save"]


def test_what_is_rolled_back_never_leaves(site: Site) -> None:
    with transaction.atomic():
        payment(account())
        transaction.set_rollback(True)
    assert messages() == []
    assert not site.push()


def test_a_save_costs_one_statement_and_its_savepoint(django_assert_num_queries: Any) -> None:
    shop, statements = account(), ["INSERT payment", "SAVEPOINT", "INSERT message", "RELEASE"]
    with django_assert_num_queries(len(statements)):
        payment(shop)


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


def test_a_customer_that_changes_back_is_told_so(site: Site) -> None:
    shop = account(email="a@customers.example")
    for email in ("b@customers.example", "a@customers.example"):
        shop.email = email
        shop.save()
    site.push()
    assert site.sandbox.objects("customers")[0]["email"] == "a@customers.example"


def test_a_payment_is_queued_once_ever(site: Site) -> None:
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


def test_an_event_with_a_key_is_queued_once_ever(site: Site) -> None:
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


def test_what_is_sent_is_fixed_when_it_is_queued(site: Site) -> None:
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
def test_any_content_comes_back_from_the_database_as_it_was_queued(site: Site, meta: dict[Any, Any]) -> None:
    content = {"customer_key": "a", "email": "a@customers.example", "partner_key": "gstest", "meta": meta}
    enqueue(draft(payload=content), mode="test")
    found = message("customers.save")
    assert fingerprint(found.payload) == found.fingerprint
    site.push()
    assert message("customers.create").state == "delivered"


def test_the_order_of_names_does_not_make_a_customer_a_changed_one() -> None:
    payload = draft().payload
    assert enqueue(draft(), mode="test")
    assert not enqueue(draft(payload=dict(reversed(payload.items()))), mode="test")


@pytest.mark.parametrize(
    "value",
    [Decimal("1.5"), timezone.now(), gettext_lazy("a"), float("nan"), float("inf"), {1, 2}, b"a", object()],
)
def test_content_that_is_no_json_is_refused_by_name(value: Any) -> None:
    with pytest.raises(InvalidArgument, match=r"customers.save 'a' cannot be stored as JSON"):
        enqueue(draft(payload={"customer_key": "a", "meta": {"plan": value}}), mode="test")
    assert messages() == []


@pytest.mark.parametrize("text", ["a\0b", "\ud800", "\\\0"])
def test_text_that_no_database_holds_is_refused(text: str) -> None:
    with pytest.raises(InvalidArgument, match=r"^customers\.save"):
        enqueue(draft(payload={"customer_key": "a", "name": text}), mode="test")
    with pytest.raises(InvalidArgument, match=r"^customers\.save"):
        enqueue(draft(subject=text), mode="test")


@pytest.mark.parametrize("text", ["\\u0000", "\\\\u0000", "C:\\users"])
def test_text_that_only_looks_like_it_is_kept(text: str) -> None:
    enqueue(draft(payload={"customer_key": "a", "name": text}), mode="test")
    assert message("customers.save").payload["name"] == text


def test_a_key_that_is_too_long_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="255"):
        enqueue(draft(subject="a" * 256), mode="test")
    with pytest.raises(InvalidArgument, match="255"):
        track.event(account(), "demo", key="k" * 256)
    with pytest.raises(InvalidArgument, match="240"):
        track.purchase(account(), amount=1, currency="USD", key="k" * 241)


def test_the_longest_keys_fit() -> None:
    key = "ключ" * 60
    enqueue(draft(subject=key, lane=customer_lane(key + "x" * 15)), mode="test")
    assert track.purchase(account(), amount=1, currency="USD", key=key)


def test_an_error_in_queueing_does_not_spoil_the_callers_transaction() -> None:
    with transaction.atomic():
        with pytest.raises(InvalidArgument):
            enqueue(draft(payload={"meta": object()}), mode="test")
        account()
    assert len(messages()) == 1


def test_a_database_error_in_queueing_does_not_spoil_the_callers_transaction() -> None:
    with transaction.atomic():
        with pytest.raises(IntegrityError):
            enqueue(draft(operation=None), mode="test")
        account()
    assert Account.objects.count() == 1


def test_workers_are_told_after_the_commit(django_capture_on_commit_callbacks: Any) -> None:
    told: list[str] = []

    def listen(lane: str, **kwargs: Any) -> None:
        told.append(lane)

    message_queued.connect(listen)
    with django_capture_on_commit_callbacks(execute=True):
        shop = account()
        assert told == []
    message_queued.disconnect(listen)
    assert told == [f"customer:account-{shop.pk}"]


def test_a_listener_that_fails_does_not_fail_the_save(django_capture_on_commit_callbacks: Any) -> None:
    def fail(**kwargs: Any) -> None:
        raise ZeroDivisionError

    message_queued.connect(fail)
    with django_capture_on_commit_callbacks(execute=True):
        account()
    message_queued.disconnect(fail)


def test_the_message_names_the_object_that_it_came_from() -> None:
    shop = account()
    paid = payment(shop)
    found = message("transactions.create")
    assert (found.source, found.source_pk) == ("shop.payment", str(paid.pk))
    assert (found.customer_source, found.customer_source_pk) == ("shop.account", str(shop.pk))
    assert connection.alias == "default"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("committed", [True, False])
def test_two_processes_that_save_the_same_at_once_queue_it_once(committed: bool) -> None:
    written, answers = threading.Event(), []
    paid = draft(operation="transactions.create", payload={"key": "a"})

    def first() -> None:
        with transaction.atomic():
            answers.append(enqueue(paid, mode="test"))
            written.set()
            time.sleep(0.3)  # the other is waiting for the database by then
            transaction.set_rollback(not committed)
        connection.close()

    thread = threading.Thread(target=first)
    thread.start()
    assert written.wait(10)
    with transaction.atomic():
        answers.append(enqueue(paid, mode="test"))
        account()
    thread.join()
    assert answers == [True, not committed]
    assert len(messages("transactions.create")) == 1
    assert Account.objects.count() == 1
