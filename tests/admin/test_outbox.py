"""The list and the page of messages, and what a person may do with them."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.messages import ERROR, SUCCESS, WARNING
from django.db import transaction
from django.test import Client
from django.urls import resolve
from django.utils import timezone

from django_partnerstack.admin.operators import ROWS
from django_partnerstack.admin.paginator import BoundedPaginator
from django_partnerstack.models import Customer, OutboxLane, OutboxMessage, State, Transaction
from tests.shop.models import Account

from .conftest import list_url, page_url, queue, take
from .test_lists import INLINE, queries, shown

LIST = list_url(OutboxMessage)
ACTIONS = ("retry", "hold", "release", "cancel", "mark_delivered")

each_action = pytest.mark.parametrize("action", ACTIONS)


@pytest.fixture
def clerk(staff: Callable[..., Client]) -> Client:
    """Somebody who may see messages and do everything with them."""
    return staff("view_outboxmessage", *(f"{action}_outboxmessage" for action in ACTIONS))


@pytest.fixture
def lane(db: None) -> OutboxLane:
    return OutboxLane.objects.create(mode="test", key="customer:account-1", status="open")


@pytest.mark.parametrize("state", State)
def test_a_message_in_any_state_is_listed_and_has_a_page(browser: Client, state: State) -> None:
    message = queue(state, reason="Why it is so.")
    for url in (LIST, page_url(message)):
        html = browser.get(url).rendered_content
        assert f'<span class="partnerstack-state partnerstack-{state}">{state.label}</span>' in html
        assert "Why it is so." in html
        assert not INLINE.findall(html)


def test_nobody_sees_messages_without_permission(staff: Callable[..., Client]) -> None:
    assert staff().get(page_url(queue())).status_code == 403


def test_a_list_takes_as_many_queries_for_fifty_messages_as_for_two(browser: Client) -> None:
    Customer.objects.create(mode="test", customer_key="account-1")
    queue(source="shop.account", source_pk="1")
    queue(operation="transactions.create", subject="payment-1")
    few = queries(browser, LIST)
    for _ in range(48):
        queue(source="shop.account", source_pk="1")
    assert queries(browser, LIST) == few <= 10


def test_a_long_list_is_counted_to_a_bound(browser: Client, django_assert_num_queries: Any) -> None:
    for number in range(5):
        queue(subject=str(number))
    paginator = BoundedPaginator(OutboxMessage.objects.order_by("-pk"), 2)
    paginator.MOST = 4
    with django_assert_num_queries(1) as captured:
        assert (paginator.count, paginator.num_pages, paginator.is_cut) == (4, 2, True)
    assert "LIMIT 4" in captured[0]["sql"]


class TestFilters:
    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ({}, ["b", "a"]),
            ({"mode": "production"}, ["c"]),
            ({"state__exact": "dead"}, ["b"]),
            ({"stuck": "yes"}, ["b"]),
            ({"operation": "transactions.create"}, ["b"]),
            ({"q": "customer:x"}, ["b"]),
            ({"q": "77"}, ["a"]),
            ({"q": "b"}, ["b"]),
        ],
    )
    def test_narrow_the_list(self, browser: Client, query: dict[str, str], found: list[str]) -> None:
        queue(subject="a", source="shop.account", source_pk="77", lane="customer:y")
        queue(State.FAILED, "transactions.create", subject="b", lane="customer:x")
        queue(subject="c", mode="production")
        assert [name.split()[1] for name in shown(browser, LIST, **query)] == found


class TestPage:
    def test_shows_content_and_answer_readably(self, browser: Client) -> None:
        message = queue(payload={"key": "payment-1"}, response={"data": {"key": "x"}})
        html = browser.get(page_url(message)).rendered_content
        assert "{\n  &quot;key&quot;: &quot;payment-1&quot;\n}" in html
        assert "&quot;data&quot;: {\n" in html

    def test_strikes_out_keys_of_the_site(self, browser: Client, settings: Any) -> None:
        settings.PARTNERSTACK_PUBLIC_KEY, settings.PARTNERSTACK_SECRET_KEY = "pk_canary", "sk_canary"
        settings.PARTNERSTACK_TRACKING_TOKEN = "token_canary"
        text = "pk_canary sk_canary token_canary"
        message = queue(State.FAILED, reason=text, payload={"a": [text]}, response={text: text})
        for url in (LIST, page_url(message)):
            html = browser.get(url).rendered_content
            assert "canary" not in html
            assert "*** *** ***" in html

    def test_shows_when_what_happened_in_order(self, browser: Client) -> None:
        now = timezone.now().replace(hour=12, minute=30, second=5)
        before, after = now - timedelta(minutes=1), now + timedelta(seconds=1)
        message = queue(queued_at=before, first_sent_at=now, finished_at=after)
        html = browser.get(page_url(message)).rendered_content
        timeline = html.split("partnerstack-timeline")[1].split("</table>")[0]
        assert re.findall(r"\d\d:\d\d:\d\d", timeline) == ["12:29:05", "12:30:05", "12:30:06"]
        assert "next try" not in timeline

    def test_shows_the_messages_of_the_lane_around_it(self, browser: Client) -> None:
        messages = [queue(subject=f"s{number}") for number in range(14)]
        queue(lane="customer:other", subject="foreign")
        html = browser.get(page_url(messages[7])).rendered_content
        table = html.split("partnerstack-messages")[1].split("</table>")[0]
        assert re.findall(r">s(\d+)<", table) == [str(number) for number in range(2, 13)]
        assert page_url(messages[7]) not in table
        assert "foreign" not in table

    def test_leads_to_the_mirror_and_to_the_object_of_the_host(self, browser: Client) -> None:
        account = Account.objects.create(email="a@example.com")
        customer = Customer.objects.create(mode="test", customer_key="account-1")
        payment = Transaction.objects.create(mode="test", key="payment-1")
        message = queue(
            operation="transactions.create", subject="payment-1", source="shop.account", source_pk=account.pk
        )
        html = browser.get(page_url(message)).rendered_content
        for row in (account, customer, payment):
            assert f'href="{page_url(row)}"' in html

    @pytest.mark.parametrize("source", ["gone.model", "contenttypes.contenttype"])
    def test_names_an_object_of_the_host_without_a_page(self, browser: Client, source: str) -> None:
        html = browser.get(page_url(queue(source=source, source_pk="7"))).rendered_content
        assert f">{source} 7<" in html

    @pytest.mark.parametrize(
        ("state", "offered"),
        [
            (State.QUEUED, ["retry", "hold", "cancel"]),
            (State.ON_HOLD, ["release", "cancel", "mark_delivered"]),
            (State.FAILED, ["retry", "cancel", "mark_delivered"]),
            (State.SENDING, []),
            (State.DELIVERED, []),
        ],
    )
    def test_offers_what_can_be_done_now(self, clerk: Client, state: State, offered: list[str]) -> None:
        html = clerk.get(page_url(queue(state))).rendered_content
        assert re.findall(r'<button class="button" name="action" value="(\w+)"', html) == offered

    def test_offers_nothing_without_permission(self, browser: Client) -> None:
        assert '<button class="button"' not in browser.get(page_url(queue(State.ON_HOLD))).rendered_content


class TestActions:
    @pytest.mark.parametrize(
        ("action", "state", "becomes", "text"),
        [
            ("retry", State.FAILED, State.SCHEDULED, "1 to be sent at once."),
            ("hold", State.SCHEDULED, State.ON_HOLD, "1 put on hold."),
            ("release", State.ON_HOLD, State.SCHEDULED, "1 released."),
            ("cancel", State.ON_HOLD, State.CANCELLED, "1 cancelled."),
        ],
    )
    def test_change_a_message(
        self, clerk: Client, lane: OutboxLane, action: str, state: State, becomes: State, text: str
    ) -> None:
        message = queue(state)
        assert take(clerk, action, message) == [(SUCCESS, text)]
        message.refresh_from_db()
        assert message.state == becomes

    def test_say_of_each_message_why_it_cannot_be(self, clerk: Client, lane: OutboxLane) -> None:
        rows = [queue(State.ON_HOLD), queue(), queue(State.CANCELLED, subject="account-2")]
        [(level, text)] = take(clerk, "release", *rows)
        assert level == WARNING
        assert text.startswith("1 released. 2 not changed: customers.update account-1 is delivered; ")
        assert "customers.update account-2 is cancelled; " in text

    def test_that_change_nothing_are_an_error(self, clerk: Client, lane: OutboxLane) -> None:
        [(level, text)] = take(clerk, "retry", queue())
        assert level == ERROR
        assert text.startswith("1 not changed: customers.update account-1 is delivered;")

    def test_change_so_many_at_once_and_no_more(self, clerk: Client, lane: OutboxLane) -> None:
        first, *_ = [queue() for _ in range(ROWS + 1)]
        [(_, text)] = take(clerk, "retry", first, select_across=1)
        assert "200 not changed" in text
        assert text.endswith("… 1 not tried: at most 200 at once.")

    @each_action
    def test_need_their_own_permission(
        self, staff: Callable[..., Client], lane: OutboxLane, action: str
    ) -> None:
        message = queue(State.ON_HOLD)
        browser = staff(
            "view_outboxmessage", *(f"{name}_outboxmessage" for name in ACTIONS if name != action)
        )
        assert f'value="{action}"' not in browser.get(LIST).rendered_content
        take(browser, action, message, confirmed="yes")
        message.refresh_from_db()
        assert message.state == State.ON_HOLD

    def test_run_outside_of_a_transaction(self) -> None:
        """Django wraps a view in one on a site with ATOMIC_REQUESTS, unless the view says no."""
        view = resolve(LIST).func
        assert view._non_atomic_requests == transaction.non_atomic_requests(lambda: None)._non_atomic_requests
