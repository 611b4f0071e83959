"""What the deletion of a customer's object does, as PARTNERSTACK_ON_DELETE says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from django.db.models.signals import post_delete
from django.test import override_settings

from django_partnerstack import track
from django_partnerstack.models import ForgottenCustomer, OutboxMessage
from tests.outbox.site import message
from tests.shop.models import Account, Payment

from .test_forget import customer_at_partnerstack, simple
from .world import EMAIL, NAME, World, dump, leaks


@pytest.fixture
def forgetting() -> Iterator[None]:
    with override_settings(PARTNERSTACK_ON_DELETE="forget"):
        yield


@pytest.fixture
def archiving() -> Iterator[None]:
    with override_settings(PARTNERSTACK_ON_DELETE="archive"):
        yield


def test_by_default_nothing_happens_and_nobody_listens(world: World) -> None:
    account = simple(world)
    messages = OutboxMessage.objects.count()
    assert not post_delete.has_listeners(Account), "Django deletes faster without"
    account.delete()
    assert OutboxMessage.objects.count() == messages


def test_a_deleted_customer_is_forgotten(world: World, account: Account, forgetting: None) -> None:
    account.delete()
    assert leaks(dump(without=[])) == {}
    world.settle()
    assert customer_at_partnerstack(world)["archived"]
    world.deliver_webhooks()
    world.replay_webhooks()
    world.sync()
    assert leaks(dump(without=[])) == {}


def test_the_objects_of_a_queryset_are_forgotten(world: World, account: Account, forgetting: None) -> None:
    Account.objects.create(email="canary.bob@customers.example", name=NAME)
    Account.objects.all().delete()
    assert leaks(dump(without=[])) == {}


def test_a_rolled_back_deletion_forgets_nobody(world: World, account: Account, forgetting: None) -> None:
    before = dump(without=[])
    with transaction.atomic():
        account.delete()
        transaction.set_rollback(True)
    assert dump(without=[]) == before


def test_a_deletion_fails_if_the_customer_cannot_be_forgotten(world: World, forgetting: None) -> None:
    account = simple(world)

    def is_full(execute: Any, sql: str, *args: Any) -> Any:
        if sql.startswith("INSERT") and ForgottenCustomer._meta.db_table in sql:
            raise OperationalError("The database is full.")
        return execute(sql, *args)

    with pytest.raises(OperationalError), transaction.atomic(), connection.execute_wrapper(is_full):
        account.delete()
    assert Account.objects.filter(email=EMAIL).exists()


def test_a_deleted_customer_is_only_archived(world: World, archiving: None) -> None:
    account = simple(world)
    key = track.customer_key(account)
    account.delete()
    world.settle()
    assert message("customers.archive").state == "delivered"
    assert world.effects("customers.delete") == {key: 1}
    assert customer_at_partnerstack(world)["email"] == EMAIL


def test_what_was_earned_is_reported_before_the_archiving(world: World, archiving: None) -> None:
    account = simple(world)
    track.purchase(account, amount=100, currency="USD", key="last-1")
    account.delete()
    world.settle()
    writes = [each for each in world.sent if not each.startswith("GET")]
    path = f"/customers/{message('customers.archive').subject}"
    assert writes[-2:] == ["POST /transactions", f"DELETE {path}"]


def test_a_customer_that_was_never_reported_is_not_archived(world: World, archiving: None) -> None:
    Account.objects.bulk_create([Account(email=EMAIL)])
    Account.objects.all().delete()
    world.settle()
    assert world.sent == []
    assert not OutboxMessage.objects.exists()


def test_a_deleted_payment_changes_nothing(world: World, forgetting: None) -> None:
    account = simple(world)
    payment = Payment.objects.create(account=account, total="5.00")
    world.settle()
    sent = len(world.sent)
    payment.delete()
    world.settle()
    assert len(world.sent) == sent
