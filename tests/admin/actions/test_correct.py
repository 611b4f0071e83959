"""Correcting a payment in the admin, after a confirmation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.messages import ERROR, SUCCESS
from django.test import Client

from django_partnerstack.models import OutboxLane, OutboxMessage, ReportedKey

from ..conftest import INLINE, html_of, list_url, queue, take

PAYLOAD = {"key": "payment-1", "customer_external_key": "account-1", "amount": 4900, "currency": "USD"}
KEY = "transactions.create:payment-1"


@pytest.fixture
def differing(db: None) -> OutboxMessage:
    OutboxLane.objects.create(mode="test", key="customer:account-1", status="open")
    queue("delivered", "transactions.create", subject="payment-1", payload=PAYLOAD, dedupe_key=KEY)
    changed = {**PAYLOAD, "amount": 5900}
    return queue("dead", "transactions.create", subject="", payload=changed, dedupe_key=None)


def page(browser: Client, message: OutboxMessage) -> Any:
    form = {"action": "correct", "index": 0, "_selected_action": [message.pk]}
    return browser.post(list_url(OutboxMessage), form)


def test_both_contents_are_shown_before_anything_is_changed(
    staff: Callable[..., Client], differing: OutboxMessage
) -> None:
    browser = staff("view_outboxmessage", "correct_outboxmessage")
    html = page(browser, differing).rendered_content
    assert not INLINE.findall(html)
    assert "4900" in html
    assert "5900" in html
    assert OutboxMessage.objects.count() == 2
    [(level, text)] = take(browser, "correct", differing, confirmed="yes")
    assert (level, text) == (SUCCESS, "1 corrected.")
    assert OutboxMessage.objects.filter(operation="transactions.delete").count() == 1


def test_it_needs_its_permission(staff: Callable[..., Client], differing: OutboxMessage) -> None:
    browser = staff("view_outboxmessage", "retry_outboxmessage")
    page(browser, differing)
    assert OutboxMessage.objects.count() == 2


def test_the_page_of_a_differing_message_offers_nothing_else(
    admin_client: Client, differing: OutboxMessage
) -> None:
    html = html_of(admin_client, differing)
    assert "Correct the payment" in html
    assert "Try again now" not in html


def test_a_payment_that_cannot_be_corrected_says_why(
    staff: Callable[..., Client], differing: OutboxMessage
) -> None:
    OutboxMessage.objects.filter(state="delivered").update(subject="payment-2")
    html = page(staff("view_outboxmessage", "correct_outboxmessage"), differing).rendered_content
    assert "payment-1 was never reported, or is refunded already." in html


def test_a_message_under_the_key_of_another_object_is_not_offered_as_a_correction(
    admin_client: Client, differing: OutboxMessage
) -> None:
    ReportedKey.objects.create(mode="test", dedupe_key=KEY, source="shop.payment", source_pk="1")
    OutboxMessage.objects.filter(pk=differing.pk).update(source="shop.payment", source_pk="2")
    html = html_of(admin_client, differing)
    assert "Correct the payment" not in html
    assert "Try again now" not in html
    [(level, text)] = take(admin_client, "correct", differing, confirmed="yes")
    assert level == ERROR
    assert "does not differ from a reported payment" in text
