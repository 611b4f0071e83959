"""What the tasks do, whatever runs them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from threading import Event
from typing import Any

import pytest
from django.test import override_settings
from django.utils import timezone

from django_partnerstack import track
from django_partnerstack.connection import ConfigurationError
from django_partnerstack.dispatch import jobs
from django_partnerstack.exceptions import AuthenticationFailed
from django_partnerstack.models import Customer, OutboxMessage, Partnership, State, WebhookEvent
from django_partnerstack.sandbox import TEST_KEYS, Sandbox
from tests.shop.models import Account

pytestmark = pytest.mark.django_db(transaction=True)
KEYS = dict(zip(("PARTNERSTACK_PUBLIC_KEY", "PARTNERSTACK_SECRET_KEY"), TEST_KEYS, strict=True))


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """PartnerStack, with the site's settings for it."""
    sandbox = Sandbox(partnerships=2)
    with sandbox.serve() as server, override_settings(**KEYS, PARTNERSTACK_API_URL=f"{server.url}/api/v2"):
        yield sandbox


@pytest.fixture
def accounts(sandbox: Sandbox) -> list[Account]:
    return [
        Account.objects.create(email=f"{name}@shop.example", partner_key="gstest") for name in ("ada", "bob")
    ]


def states() -> set[str]:
    return set(OutboxMessage.objects.values_list("state", flat=True))


def test_the_first_wake_up_sends_everything_and_each_other_costs_a_query(
    accounts: list[Account], django_assert_num_queries: Callable[[int], Any]
) -> None:
    assert jobs.deliver() == {"delivered": 2}
    with django_assert_num_queries(1):
        assert jobs.deliver() == {}


def test_a_lane_can_be_delivered_alone(accounts: list[Account], sandbox: Sandbox) -> None:
    assert jobs.deliver(lanes=[f"customer:shop-account-{accounts[1].pk}"]) == {"delivered": 1}
    assert list(sandbox.effects) == [("test", "customers.create", f"shop-account-{accounts[1].pk}")]


def test_nothing_is_sent_once_it_is_stopping(accounts: list[Account], sandbox: Sandbox) -> None:
    stopping = Event()
    stopping.set()
    assert jobs.deliver(stopping=stopping) == {}
    assert not sandbox.effects


@pytest.mark.parametrize("given", [{"PARTNERSTACK_PUSH_ENABLED": False}, {"PARTNERSTACK_SECRET_KEY": ""}])
def test_nothing_is_sent_without_keys_or_with_push_disabled(
    accounts: list[Account], sandbox: Sandbox, given: dict[str, Any]
) -> None:
    with override_settings(**given):
        assert jobs.deliver() == {}
    assert not sandbox.effects


def test_a_wrong_setting_is_an_error(accounts: list[Account]) -> None:
    with override_settings(PARTNERSTACK_API_URL="nowhere"), pytest.raises(ConfigurationError):
        jobs.deliver()


def test_a_sweep_sends_what_is_due_and_deletes_old_delivered_messages(accounts: list[Account]) -> None:
    long_ago = timezone.now() - timedelta(days=91)
    old = OutboxMessage.objects.create(
        mode="test",
        state=State.DELIVERED,
        operation="transactions.create",
        subject="inv_1",
        payload={},
        queued_at=long_ago,
        finished_at=long_ago,
    )
    assert jobs.sweep() == {"delivered": 2}
    assert not OutboxMessage.objects.filter(pk=old.pk).exists()


def test_a_sweep_sends_what_waited_for_a_customer_that_a_sync_found(
    sandbox: Sandbox, django_user_model: Any
) -> None:
    user = django_user_model.objects.create(username="ada")
    track.purchase(user, amount=4900, currency="USD", key="inv_1")
    jobs.sweep()
    assert states() == {State.WAITING}
    sandbox.create("customers", customer_key=f"auth-user-{user.pk}", key="cus_1")
    Customer.objects.create(mode="test", key="cus_1", customer_key=f"auth-user-{user.pk}")
    assert jobs.sweep() == {"delivered": 1}


def test_a_sync_updates_every_mirror(sandbox: Sandbox) -> None:
    jobs.sync_all()
    assert Partnership.objects.count() == 3


def test_a_full_sync_marks_what_is_missing(sandbox: Sandbox) -> None:
    jobs.sync_all()
    sandbox.remove("partnerships", sandbox.objects("partnerships")[0]["key"])
    jobs.sync_all()
    assert not Partnership.objects.filter(missing_since__isnull=False).exists()
    jobs.sync_all(full=True)
    assert Partnership.objects.filter(missing_since__isnull=False).count() == 1


def test_a_sync_that_is_incomplete_is_an_error(sandbox: Sandbox) -> None:
    with override_settings(PARTNERSTACK_SECRET_KEY="sk_wrong"), pytest.raises(AuthenticationFailed):
        jobs.sync_all()


def test_a_backfill_queues_what_was_written_in_bulk(sandbox: Sandbox) -> None:
    Account.objects.bulk_create([Account(email="ada@shop.example")])
    jobs.backfill_all()
    assert states() == {State.QUEUED}


def test_webhooks_are_processed_and_without_any_it_costs_two_queries(
    sandbox: Sandbox, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    assert jobs.process_webhooks() == 0
    with django_assert_max_num_queries(2):
        assert jobs.process_webhooks() == 0
    partner = sandbox.objects("partnerships")[0]
    now = timezone.now()
    times = {"window": now, "first_received_at": now, "last_received_at": now, "due_at": now}
    columns = {"event": "partnership.updated", "kind": "partnership", "key": partner["key"]}
    WebhookEvent.objects.create(mode="test", **columns, **times)
    with override_settings(PARTNERSTACK_SECRET_KEY=""):
        assert jobs.process_webhooks() == 0
    assert jobs.process_webhooks() == 1
    assert Partnership.objects.get().key == partner["key"]
