"""What PartnerStack has of a message in doubt, for an operator."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from django_partnerstack.models import OutboxMessage, State, ThrottleState
from django_partnerstack.outbox.control.lookup import look_up
from django_partnerstack.sandbox import TEST_KEYS, Sandbox

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def sandbox(settings: Any) -> Iterator[Sandbox]:
    sandbox = Sandbox(customers=1)
    settings.PARTNERSTACK_PUBLIC_KEY, settings.PARTNERSTACK_SECRET_KEY = TEST_KEYS
    with sandbox.serve() as server:
        settings.PARTNERSTACK_API_URL = f"{server.url}/api/v2"
        yield sandbox


def in_doubt(key: str) -> OutboxMessage:
    now = timezone.now()
    return OutboxMessage.objects.create(
        mode="test",
        lane=f"customer:{key}",
        operation="customers.create",
        subject=key,
        payload={"customer_key": key},
        state=State.ON_HOLD,
        queued_at=now,
        sent_at=now,
        in_doubt_since=now,
    )


def test_each_message_has_its_own_result(sandbox: Sandbox) -> None:
    [customer] = sandbox.objects("customers")
    found, missing = in_doubt(customer["customer_key"]), in_doubt("nobody")
    results = look_up([found, missing], seconds=10)
    assert results[found.pk].found.key == customer["key"]
    assert results[missing.pk].found is None


def test_a_failed_look_up_does_not_affect_the_others(sandbox: Sandbox) -> None:
    first, second = in_doubt("a"), in_doubt("b")
    sandbox.faults.add("status", status=403, path="/api/v2/customers/a")
    results = look_up([first, second], seconds=10)
    assert "403" in results[first.pk].problem
    assert results[second.pk].problem == ""


def test_no_request_is_sent_after_the_given_seconds(sandbox: Sandbox) -> None:
    ThrottleState.objects.create(mode="test", next_slot_at=timezone.now() + timedelta(seconds=0.9))
    message = in_doubt("a")
    assert look_up([message], seconds=0.1)[message.pk].problem == "Not looked up: no time was left."


def test_no_request_is_sent_while_delivery_is_paused(sandbox: Sandbox) -> None:
    until = timezone.now() + timedelta(minutes=1)
    ThrottleState.objects.create(mode="test", paused_until=until)
    message = in_doubt("a")
    assert look_up([message], seconds=1)[message.pk].problem.startswith("Delivery is paused until ")
