from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from django_partnerstack.models import Customer, WebhookEvent, WebhookState
from django_partnerstack.sandbox import Sandbox
from tests.admin.conftest import html_of, list_url, page_url, queries, shown, shown_messages, take
from tests.webhooks.conftest import SECRET, URL, post

LIST = list_url(WebhookEvent)
ENDPOINTS = f"{LIST}endpoints/"


@pytest.fixture(autouse=True)
def secrets(settings: Any) -> None:
    settings.PARTNERSTACK_WEBHOOK_SECRETS = [SECRET]


def receive(key: str = "cus_1", event: str = "customer.updated", **fields: Any) -> WebhookEvent:
    assert post({"event": event, "data": {"key": key, **fields}}).status_code == 200
    return WebhookEvent.objects.latest("pk")


def test_an_event_leads_to_its_row_by_clicks(browser: Client) -> None:
    row = Customer.objects.create(mode="test", key="cus_1", customer_key="account-1")
    event = receive()
    assert page_url(event) in browser.get(LIST).content.decode()
    assert f'<a href="{page_url(row)}">account-1</a>' in html_of(browser, event)


def test_the_body_is_shown_readable_and_without_keys(browser: Client) -> None:
    event = receive(name="Zoë <b>", url=f"https://a.example{URL}")
    html = html_of(browser, event)
    assert "&quot;name&quot;: &quot;Zoë &lt;b&gt;&quot;" in html
    assert SECRET not in html


def test_events_are_filtered_by_state_event_and_kind(browser: Client) -> None:
    receive("cus_1")
    receive("deal_1", "deal.created")
    receive("x", "unheard.of")
    WebhookEvent.objects.filter(key="deal_1").update(state=WebhookState.DONE)
    assert shown(browser, LIST, state="done") == ["deal.created deal_1"]
    assert shown(browser, LIST, event="customer.updated") == ["customer.updated cus_1"]
    assert shown(browser, LIST, event="unheard.of") == ["unheard.of x"]
    assert shown(browser, LIST, kind="deal") == ["deal.created deal_1"]


@pytest.mark.parametrize("text", ["cus_7", "ada@shop.example"])
def test_events_are_found_by_key_and_by_address(browser: Client, text: str) -> None:
    receive("cus_7", customer_email="ada@shop.example")
    receive("cus_8", customer_email="bob@shop.example")
    assert shown(browser, LIST, q=text) == ["customer.updated cus_7"]


def test_the_list_shows_the_number_of_each_event(browser: Client) -> None:
    assert "Nothing was received yet." in browser.get(LIST).content.decode()
    for number in range(3):
        receive(f"cus_{number}")
    receive("x", "deal.created")
    post(b"{")
    WebhookEvent.objects.filter(key="x").update(state=WebhookState.FAILED)
    html = browser.get(LIST).content.decode()
    assert '<a href="?event=customer.updated">customer.updated</a>: 3' in html
    assert '<a href="?event=deal.created">deal.created</a>: 1 (1 failed)' in html
    assert "Refused and not stored: 1 malformed." in html


def test_the_number_of_queries_does_not_depend_on_the_number_of_events(browser: Client) -> None:
    receive()
    one = queries(browser, LIST)
    for number in range(10):
        receive(f"deal_{number}", "deal.created")
    assert queries(browser, LIST) == one


def test_process_again(staff: Callable[..., Client]) -> None:
    user = staff("view_webhookevent", "replay_webhookevent")
    event = receive()
    WebhookEvent.objects.update(state=WebhookState.FAILED, attempts=15, due_at=None, reason="x")
    assert ">Process again<" in html_of(user, event)
    assert take(user, "replay", event) == [(25, "The worker processes 1 event again.")]
    event.refresh_from_db()
    assert (event.state, event.attempts, event.reason) == ("received", 0, "")
    assert event.due_at is not None


def test_events_of_the_other_mode_are_not_processed(staff: Callable[..., Client]) -> None:
    user = staff("view_webhookevent", "replay_webhookevent")
    event = receive()
    WebhookEvent.objects.update(mode="production", state=WebhookState.DONE)
    texts = [text for _, text in take(user, "replay", event, query="?mode=all")]
    assert texts[1] == "1 not changed: the site runs in test mode."
    assert WebhookEvent.objects.get().state == "done"


def test_without_the_permission_nothing_can_be_processed_again(browser: Client) -> None:
    event = receive()
    WebhookEvent.objects.update(state=WebhookState.FAILED)
    assert ">Process again<" not in html_of(browser, event)
    take(browser, "replay", event)
    assert WebhookEvent.objects.get().state == "failed"


def test_the_endpoints_that_partnerstack_has_are_shown_masked(browser: Client, partnerstack: Sandbox) -> None:
    assert "PartnerStack has no endpoints." in browser.get(ENDPOINTS).rendered_content
    partnerstack.create("webhooks", target_url=f"https://www.example.com{URL}")
    html = browser.get(ENDPOINTS).rendered_content
    assert "https://www.example.com/partnerstack/webhooks/***/" in html
    assert "(this site)" in html
    assert SECRET not in html
    assert "Remove" not in html


def test_an_endpoint_is_registered_and_removed_after_a_confirmation(
    staff: Callable[..., Client], partnerstack: Sandbox
) -> None:
    user = staff("view_webhookevent", "endpoints_webhookevent")
    form = {"register": "https://www.example.com"}
    assert "Yes, register" in user.post(ENDPOINTS, form).rendered_content
    assert not partnerstack.objects("webhooks")
    page = user.post(ENDPOINTS, {**form, "confirmed": "yes"}, follow=True)
    assert shown_messages(page) == [(25, "PartnerStack delivers events to this site.")]
    [endpoint] = partnerstack.objects("webhooks")
    assert endpoint["target_url"] == f"https://www.example.com{URL}"

    form = {"remove": endpoint["key"]}
    assert "Yes, remove" in user.post(ENDPOINTS, form).rendered_content
    assert partnerstack.objects("webhooks")
    user.post(ENDPOINTS, {**form, "confirmed": "yes"})
    assert not partnerstack.objects("webhooks")


def test_a_problem_is_shown_without_the_secret(staff: Callable[..., Client], partnerstack: Sandbox) -> None:
    user = staff("view_webhookevent", "endpoints_webhookevent")
    partnerstack.faults.add("status", status=403)
    assert "403" in user.get(ENDPOINTS).rendered_content
    page = user.post(ENDPOINTS, {"register": "https://a.example", "confirmed": "yes"}, follow=True)
    [(level, text)] = shown_messages(page)
    assert (level, "403" in text, SECRET in text) == (40, True, False)


def test_without_keys_the_page_says_what_to_set(browser: Client) -> None:
    assert "PARTNERSTACK_PUBLIC_KEY" in browser.get(ENDPOINTS).rendered_content


def test_the_endpoints_need_permissions(staff: Callable[..., Client], partnerstack: Sandbox) -> None:
    user = staff("view_webhookevent")
    assert user.get(ENDPOINTS).status_code == 200
    assert user.post(ENDPOINTS, {"register": "https://a.example", "confirmed": "yes"}).status_code == 403
    user.logout()
    assert user.get(ENDPOINTS).status_code == 302
    assert not partnerstack.objects("webhooks")
