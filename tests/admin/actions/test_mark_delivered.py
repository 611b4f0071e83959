"""Marking a message as delivered, after a look-up at PartnerStack."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.messages import ERROR, SUCCESS
from django.test import Client
from django.utils import timezone

from django_partnerstack.connection import get_client
from django_partnerstack.models import OutboxLane, OutboxMessage, State
from django_partnerstack.sandbox import Sandbox

from ..conftest import INLINE, list_url, queue, take

EVENT = {"type": "demo", "value": 1, "target_type": "customer", "target_key": "shop-account-1"}


@pytest.fixture
def operator(staff: Callable[..., Client]) -> Client:
    OutboxLane.objects.create(mode="test", key="customer:shop-account-1", status="open")
    return staff("view_outboxmessage", "mark_delivered_outboxmessage")


@pytest.fixture
def customer(partnerstack: Sandbox) -> Any:
    """A customer that PartnerStack has."""
    fields = {"customer_key": "shop-account-1", "email": "a@example.com", "partner_key": "gstest"}
    return get_client().customers.create(**fields)


def in_doubt(operation: str, **columns: Any) -> OutboxMessage:
    now = timezone.now()
    given = {"in_doubt_since": now, "first_sent_at": now - timedelta(seconds=5), "sent_at": now, **columns}
    return queue(State.ON_HOLD, operation, **given)


def confirmation_page(browser: Client, *rows: OutboxMessage) -> str:
    """The page that asks for confirmation. Nothing is marked yet."""
    form = {"action": "mark_delivered", "index": 0, "_selected_action": [row.pk for row in rows]}
    html = browser.post(list_url(OutboxMessage), form).rendered_content
    assert not INLINE.findall(html)
    assert {row.state for row in OutboxMessage.objects.all()} == {State.ON_HOLD}
    return html


def test_an_object_that_partnerstack_has_is_shown_and_ticked(operator: Client, customer: Any) -> None:
    message = in_doubt("customers.create")
    html = confirmation_page(operator, message)
    assert "<strong>Found.</strong>" in html
    assert customer.key in html
    assert f'value="{message.pk}" id="mark-{message.pk}" checked>' in html


def test_an_object_that_differs_is_shown_and_not_ticked(operator: Client, customer: Any) -> None:
    payload = {
        "key": "payment-1",
        "customer_external_key": "shop-account-1",
        "amount": 100,
        "currency": "USD",
    }
    get_client().transactions.create(**payload)
    html = confirmation_page(operator, in_doubt("transactions.create", payload={**payload, "amount": 200}))
    assert "<strong>Found with another amount: 100, not 200.</strong>" in html
    assert "checked" not in html


def test_a_message_that_is_not_found_is_not_ticked(operator: Client, partnerstack: Sandbox) -> None:
    html = confirmation_page(operator, in_doubt("transactions.create", payload={"key": "payment-1"}))
    assert "<strong>Not found.</strong>" in html
    assert "checked" not in html


def test_a_transaction_is_looked_up_by_the_time_of_its_attempt(operator: Client, customer: Any) -> None:
    payload = {
        "key": "payment-1",
        "customer_external_key": "shop-account-1",
        "amount": 100,
        "currency": "USD",
    }
    get_client().transactions.create(**payload)
    assert "<strong>Found.</strong>" in confirmation_page(
        operator, in_doubt("transactions.create", payload=payload)
    )


def test_actions_that_may_be_it_are_shown_for_comparison(operator: Client, customer: Any) -> None:
    client = get_client()
    client.customers.create(customer_key="shop-account-2", email="b@example.com", partner_key="gstest")
    created = client.actions.create(**EVENT)
    foreign = [{**EVENT, "target_key": "shop-account-2"}, {**EVENT, "type": "other"}]
    others = [client.actions.create(**event) for event in foreign]
    html = confirmation_page(operator, in_doubt("actions.create", payload=EVENT))
    assert "<strong>1 object may match:</strong>" in html
    assert created.key in html
    assert not [other.key for other in others if other.key in html]
    assert "checked" not in html


def test_an_action_of_another_day_is_not_shown(operator: Client, customer: Any) -> None:
    get_client().actions.create(**EVENT)
    day_before = timezone.now() - timedelta(days=1)
    message = in_doubt("actions.create", payload=EVENT, in_doubt_since=day_before, first_sent_at=day_before)
    assert "<strong>Not found.</strong>" in confirmation_page(operator, message)


@pytest.mark.parametrize(
    ("operation", "columns", "text"),
    [
        ("customers.update", {}, "Not looked up: sending it again does no harm."),
        (
            "customers.create",
            {"in_doubt_since": None},
            "PartnerStack does not have it: no attempt is unconfirmed.",
        ),
    ],
)
def test_the_page_says_why_a_message_is_not_looked_up(
    operator: Client, partnerstack: Sandbox, operation: str, columns: dict[str, Any], text: str
) -> None:
    assert text in confirmation_page(operator, in_doubt(operation, **columns))


def test_the_page_shows_why_a_look_up_failed(operator: Client, partnerstack: Sandbox) -> None:
    partnerstack.faults.add("status", status=503)
    html = confirmation_page(operator, in_doubt("customers.create"))
    assert "GET /customers/shop-account-1: 503" in html
    assert "checked" not in html


def test_without_keys_nothing_is_looked_up(operator: Client) -> None:
    html = confirmation_page(operator, in_doubt("customers.create"))
    assert "PARTNERSTACK_PUBLIC_KEY and PARTNERSTACK_SECRET_KEY are not set" in html
    assert "PartnerStack does not have it" not in html


def test_a_message_of_the_other_mode_is_not_looked_up_with_these_keys(
    operator: Client, partnerstack: Sandbox
) -> None:
    form = {
        "action": "mark_delivered",
        "index": 0,
        "_selected_action": in_doubt("customers.create", mode="production").pk,
    }
    html = operator.post(f"{list_url(OutboxMessage)}?mode=all", form).rendered_content
    assert "Not looked up: the site runs in test mode." in html


def test_only_ticked_messages_are_marked(operator: Client) -> None:
    ticked, other = in_doubt("customers.create"), in_doubt("actions.create", payload=EVENT)
    shown = take(operator, "mark_delivered", ticked, confirmed="yes")
    assert shown == [(SUCCESS, "1 marked as delivered.")]
    assert OutboxMessage.objects.get(pk=ticked.pk).state == State.DELIVERED
    assert OutboxMessage.objects.get(pk=other.pk).state == State.ON_HOLD


def test_a_delivered_message_cannot_be_marked(operator: Client) -> None:
    [(level, text)] = take(operator, "mark_delivered", queue(), confirmed="yes")
    assert level == ERROR
    assert "the message is delivered; this action is not possible now" in text


def test_a_delivered_message_cannot_be_ticked(operator: Client, partnerstack: Sandbox) -> None:
    message = queue(in_doubt_since=timezone.now())
    form = {"action": "mark_delivered", "index": 0, "_selected_action": message.pk}
    html = operator.post(list_url(OutboxMessage), form).rendered_content
    assert "Cannot be marked: the message is delivered." in html
    assert 'type="checkbox"' not in html
