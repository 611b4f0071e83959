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

from .conftest import list_url, queue, take
from .test_lists import INLINE

EVENT = {"type": "demo", "value": 1, "target_type": "customer", "target_key": "account-1"}


@pytest.fixture
def clerk(staff: Callable[..., Client]) -> Client:
    OutboxLane.objects.create(mode="test", key="customer:account-1", status="open")
    return staff("view_outboxmessage", "mark_delivered_outboxmessage")


@pytest.fixture
def customer(partnerstack: Sandbox) -> Any:
    """One that PartnerStack has."""
    fields = {"customer_key": "account-1", "email": "a@example.com", "partner_key": "gstest"}
    return get_client().customers.create(**fields)


def in_doubt(operation: str, **columns: Any) -> OutboxMessage:
    now = timezone.now()
    given = {"in_doubt_since": now, "first_sent_at": now - timedelta(seconds=5), "sent_at": now, **columns}
    return queue(State.ON_HOLD, operation, **given)


def asked(browser: Client, *rows: OutboxMessage) -> str:
    """The page that comes before anything is marked."""
    form = {"action": "mark_delivered", "index": 0, "_selected_action": [row.pk for row in rows]}
    html = browser.post(list_url(OutboxMessage), form).rendered_content
    assert not INLINE.findall(html)
    assert {row.state for row in OutboxMessage.objects.all()} == {State.ON_HOLD}
    return html


def test_what_partnerstack_has_is_shown_and_ticked(clerk: Client, customer: Any) -> None:
    message = in_doubt("customers.create")
    html = asked(clerk, message)
    assert "<strong>Found.</strong>" in html
    assert customer.key in html
    assert f'value="{message.pk}" id="mark-{message.pk}" checked>' in html


def test_what_partnerstack_has_otherwise_is_shown_and_not_ticked(clerk: Client, customer: Any) -> None:
    payload = {"key": "payment-1", "customer_external_key": "account-1", "amount": 100, "currency": "USD"}
    get_client().transactions.create(**payload)
    html = asked(clerk, in_doubt("transactions.create", payload={**payload, "amount": 200}))
    assert "<strong>Found with another amount: 100, not 200.</strong>" in html
    assert "checked" not in html


def test_what_partnerstack_has_not_is_not_ticked(clerk: Client, partnerstack: Sandbox) -> None:
    html = asked(clerk, in_doubt("transactions.create", payload={"key": "payment-1"}))
    assert "<strong>Not found.</strong>" in html
    assert "checked" not in html


def test_a_transaction_is_found_among_those_of_its_time(clerk: Client, customer: Any) -> None:
    payload = {"key": "payment-1", "customer_external_key": "account-1", "amount": 100, "currency": "USD"}
    get_client().transactions.create(**payload)
    assert "<strong>Found.</strong>" in asked(clerk, in_doubt("transactions.create", payload=payload))


def test_actions_that_may_be_the_one_are_shown_for_a_person_to_compare(clerk: Client, customer: Any) -> None:
    client = get_client()
    client.customers.create(customer_key="account-2", email="b@example.com", partner_key="gstest")
    ours = client.actions.create(**EVENT)
    foreign = [{**EVENT, "target_key": "account-2"}, {**EVENT, "type": "other"}]
    others = [client.actions.create(**event) for event in foreign]
    html = asked(clerk, in_doubt("actions.create", payload=EVENT))
    assert "<strong>One that may be it:</strong>" in html
    assert ours.key in html
    assert not [other.key for other in others if other.key in html]
    assert "checked" not in html


def test_an_action_from_another_day_is_none_of_them(clerk: Client, customer: Any) -> None:
    get_client().actions.create(**EVENT)
    day_before = timezone.now() - timedelta(days=1)
    message = in_doubt("actions.create", payload=EVENT, in_doubt_since=day_before, first_sent_at=day_before)
    assert "<strong>Not found.</strong>" in asked(clerk, message)


@pytest.mark.parametrize(
    ("operation", "columns", "text"),
    [
        ("customers.update", {}, "Not looked up: sending it again does no harm."),
        ("customers.create", {"in_doubt_since": None}, "Not in doubt: it was not carried out."),
    ],
)
def test_what_needs_no_look_up_is_told(
    clerk: Client, partnerstack: Sandbox, operation: str, columns: dict[str, Any], text: str
) -> None:
    assert text in asked(clerk, in_doubt(operation, **columns))


def test_a_look_up_that_fails_is_told(clerk: Client, partnerstack: Sandbox) -> None:
    partnerstack.faults.add("status", status=503)
    html = asked(clerk, in_doubt("customers.create"))
    assert "GET /customers/account-1: 503" in html
    assert "checked" not in html


def test_without_keys_nothing_is_looked_up(clerk: Client) -> None:
    html = asked(clerk, in_doubt("customers.create"))
    assert "PARTNERSTACK_PUBLIC_KEY and PARTNERSTACK_SECRET_KEY are not set" in html
    assert "Not in doubt" not in html


def test_a_message_of_the_other_mode_is_not_looked_up_with_these_keys(
    clerk: Client, partnerstack: Sandbox
) -> None:
    form = {
        "action": "mark_delivered",
        "index": 0,
        "_selected_action": in_doubt("customers.create", mode="production").pk,
    }
    html = clerk.post(f"{list_url(OutboxMessage)}?mode=all", form).rendered_content
    assert "Not looked up: the site runs in test mode." in html


def test_those_that_are_ticked_are_marked(clerk: Client) -> None:
    ticked, other = in_doubt("customers.create"), in_doubt("actions.create", payload=EVENT)
    told = take(clerk, "mark_delivered", ticked, confirmed="yes")
    assert told == [(SUCCESS, "1 marked as delivered.")]
    assert OutboxMessage.objects.get(pk=ticked.pk).state == State.DELIVERED
    assert OutboxMessage.objects.get(pk=other.pk).state == State.ON_HOLD


def test_what_is_delivered_already_cannot_be_marked(clerk: Client) -> None:
    [(level, text)] = take(clerk, "mark_delivered", queue(), confirmed="yes")
    assert level == ERROR
    assert "is delivered; this action is not possible now" in text


def test_what_is_delivered_already_has_nothing_to_tick(clerk: Client, partnerstack: Sandbox) -> None:
    message = queue(in_doubt_since=timezone.now())
    form = {"action": "mark_delivered", "index": 0, "_selected_action": message.pk}
    html = clerk.post(list_url(OutboxMessage), form).rendered_content
    assert "Cannot be marked: it is delivered." in html
    assert 'type="checkbox"' not in html
