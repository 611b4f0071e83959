from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.utils import timezone

from django_partnerstack import track
from django_partnerstack.models import Attempt, Customer, OutboxLane, OutboxMessage, State, Transaction
from django_partnerstack.outbox.control import actions
from tests.outbox.site import Site, account, payment
from tests.shop.models import Account

from ..conftest import INLINE, MESSAGE_ACTIONS, list_url, page_url, queries, queue, shown

LIST = list_url(OutboxMessage)


def text_of(html: str, name: str) -> str:
    """The visible text of the table of this class."""
    table = html.split(name)[1].split("</table>")[0].partition(">")[2]
    return " ".join(unescape(re.sub("<[^>]+>", " ", table)).split())


def attempted(message: OutboxMessage, **columns: Any) -> Attempt:
    defaults = {
        "kind": "send",
        "number": 1,
        "started_at": timezone.now(),
        "duration": 250,
        "request_line": "POST /api/v2/transactions",
        "outcome": "failed",
    }
    return Attempt.objects.create(message=message, mode=message.mode, **{**defaults, **columns})


@pytest.fixture
def site(db: None) -> Site:
    return Site()


@pytest.fixture
def operator(staff: Callable[..., Client]) -> Client:
    return staff("view_outboxmessage", *(f"{action}_outboxmessage" for action in MESSAGE_ACTIONS))


@pytest.mark.parametrize("state", State)
def test_a_message_in_any_state_is_listed_and_has_a_page(browser: Client, state: State) -> None:
    message = queue(state, reason="Why it is so.")
    for url in (LIST, page_url(message)):
        html = browser.get(url).rendered_content
        assert f'<span class="partnerstack-state partnerstack-{state}">{state.label}</span>' in html
        assert "Why it is so." in html
        assert not INLINE.findall(html)


def test_a_list_takes_as_many_queries_for_fifty_messages_as_for_two(browser: Client) -> None:
    Customer.objects.create(mode="test", key="cus_1", customer_key="shop-account-1")
    queue(source="shop.account", source_pk="1")
    queue(operation="transactions.create", subject="payment-1")
    few = queries(browser, LIST)
    for _ in range(48):
        queue(source="shop.account", source_pk="1")
    assert queries(browser, LIST) == few <= 7


class TestPaymentsThatPartnerStackNeverGot:
    """They are listed with their state among the messages, and are not in the list of transactions."""

    def shown_only_as(self, browser: Client, state: str) -> bool:
        [payment] = OutboxMessage.objects.filter(operation="transactions.create")
        assert payment.state == state
        assert shown(browser, list_url(Transaction)) == []
        return shown(browser, LIST, state__exact=state, q=payment.subject) == [str(payment)]

    def test_because_it_refused_them(self, browser: Client, site: Site) -> None:
        shop = account()
        site.push()
        site.fail("status", status=400)
        payment(shop)
        site.push()
        assert self.shown_only_as(browser, State.FAILED)
        assert shown(browser, list_url(Customer)) == [f"shop-account-{shop.pk}"]

    def test_because_their_customer_is_organic(self, browser: Client, site: Site) -> None:
        payment(account(partner_key=""))
        site.push()
        assert shown(browser, list_url(Customer)) == []
        assert self.shown_only_as(browser, State.ORGANIC)

    def test_because_their_customer_is_not_reported(self, browser: Client, site: Site) -> None:
        Account.objects.bulk_create([Account(email="a@customers.example")])
        payment(Account.objects.get())
        Account.objects.all().delete()
        site.push()
        assert self.shown_only_as(browser, State.WAITING)

    def test_because_an_operator_cancelled_them(self, browser: Client, site: Site) -> None:
        payment(account())
        actions.cancel(OutboxMessage.objects.get(operation="transactions.create"))
        site.push()
        assert self.shown_only_as(browser, State.CANCELLED)


class TestFilters:
    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ({}, ["b", "a"]),
            ({"mode": "production"}, ["c"]),
            ({"state__exact": "dead"}, ["b"]),
            ({"attention": "yes"}, ["b"]),
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


class TestSearchByAddress:
    def found(self, browser: Client, text: str, **query: str) -> list[str]:
        return sorted(shown(browser, LIST, q=text, **query))

    def test_finds_all_messages_of_the_customer(self, browser: Client) -> None:
        shop = account(email="Ada@customers.example")
        bill = payment(shop)
        account(email="eve@customers.example")
        expected = [f"customers.save shop-account-{shop.pk}", f"transactions.create payment-{bill.pk}"]
        assert self.found(browser, "ada@customers.example") == expected

    def test_finds_a_customer_that_only_the_mirror_has(self, browser: Client) -> None:
        Customer.objects.create(
            mode="test", key="cus_1", customer_key="shop-account-1", email="ada@x.example"
        )
        queue()
        assert self.found(browser, "ADA@x.example") == ["customers.update shop-account-1"]

    def test_finds_a_hashed_address(self, browser: Client, settings: Any, django_user_model: Any) -> None:
        settings.PARTNERSTACK_PRIVACY = "hashed"
        user = django_user_model.objects.create(username="ada")
        track.signup(user, email="ada@x.example")
        assert self.found(browser, "ada@x.example") == [f"customers.save auth-user-{user.pk}"]

    def test_finds_nothing_of_the_other_mode(self, browser: Client) -> None:
        queue(mode="production", payload={"customer_key": "shop-account-1", "email": "ada@x.example"})
        assert self.found(browser, "ada@x.example") == []
        for mode in ("production", "all"):
            assert self.found(browser, "ada@x.example", mode=mode) == ["customers.update shop-account-1"]

    def test_of_nobody_finds_nothing(self, browser: Client) -> None:
        payment(account())
        assert self.found(browser, "nobody@x.example") == []


class TestPage:
    def test_shows_content_and_answers_readably(self, browser: Client) -> None:
        message = queue(payload={"key": "payment-1"})
        attempted(message, status=200, answer='{"data": {"key": "x"}}')
        html = browser.get(page_url(message)).rendered_content
        assert "{\n  &quot;key&quot;: &quot;payment-1&quot;\n}" in html
        assert "&quot;data&quot;: {\n" in html

    def test_shows_money_and_address_in_words(self, browser: Client) -> None:
        content = {"key": "payment-4-r1", "amount": 123400, "currency": "USD", "customer_external_key": "a-1"}
        message = queue(operation="transactions.create", subject="payment-4", payload=content)
        html = browser.get(page_url(message)).rendered_content
        words = "Amount 1,234.00 USD Reported under the key payment-4-r1 Customer key a-1"
        assert text_of(html, "partnerstack-words") == words
        customer = queue(payload={"customer_key": "a-1", "email": "ada@x.example", "name": "Ada"})
        html = browser.get(page_url(customer)).rendered_content
        assert text_of(html, "partnerstack-words").startswith("E-mail address ada@x.example Name Ada")

    def test_does_not_show_keys_of_the_site(self, browser: Client, settings: Any) -> None:
        settings.PARTNERSTACK_PUBLIC_KEY, settings.PARTNERSTACK_SECRET_KEY = "pk_canary", "sk_canary"
        settings.PARTNERSTACK_TRACKING_TOKEN = "token_canary"
        text = "pk_canary sk_canary token_canary"
        message = queue(State.FAILED, reason=text, payload={"a": [text]})
        attempted(message, status=400, answer=text, error=text)
        for url in (LIST, page_url(message)):
            html = browser.get(url).rendered_content
            assert "canary" not in html
            assert "*** *** ***" in html

    def test_shows_the_timeline_in_order(self, browser: Client) -> None:
        now = timezone.now().replace(hour=12, minute=30, second=5)
        before, after = now - timedelta(minutes=1), now + timedelta(seconds=1)
        message = queue(queued_at=before, first_sent_at=now, finished_at=after)
        html = browser.get(page_url(message)).rendered_content
        timeline = html.split("partnerstack-timeline")[1].split("</table>")[0]
        assert re.findall(r"\d\d:\d\d:\d\d", timeline) == ["12:29:05", "12:30:05", "12:30:06"]
        assert "Next attempt" not in timeline

    def test_shows_each_attempt_with_request_answer_and_outcome(self, browser: Client, site: Site) -> None:
        shop = account()
        site.push()
        site.fail("status", status=429, retry_after=1)
        payment(shop)
        site.push_for(minutes=1)
        site.fail("status", status=400)
        refused = payment(shop)
        site.push()
        message = OutboxMessage.objects.get(subject=f"payment-{refused.pk}")
        text = text_of(browser.get(page_url(message)).rendered_content, "partnerstack-timeline")
        assert re.search(r"Attempt 1 failed POST /api/v2/transactions 400 after \d+ ms", text)
        assert '"message": "Fault on demand"' in text
        message = OutboxMessage.objects.get(subject__startswith="payment-", state="delivered")
        text = text_of(browser.get(page_url(message)).rendered_content, "partnerstack-timeline")
        assert text.index("429 after") < text.index("200 after")
        assert "Attempt 1 retry later POST" in text

    def test_shows_why_an_attempt_has_no_answer(self, browser: Client) -> None:
        message = queue(State.UNCONFIRMED)
        attempted(message, number=1, outcome="lost", duration=None, requests=0, error="The worker stopped.")
        attempted(message, number=2, outcome="unconfirmed", duration=30_000, error="no complete response (x)")
        attempted(message, kind="look_up", outcome="not_found", status=200, requests=3, duration=5)
        text = text_of(browser.get(page_url(message)).rendered_content, "partnerstack-timeline")
        assert "Attempt 1 no answer, the worker stopped POST /api/v2/transactions The worker stopped." in text
        assert "No answer after 30.0 s no complete response (x)" in text
        assert "Look-up not found POST /api/v2/transactions 3 requests 200 after 5 ms" in text

    def test_shows_the_last_fifty_attempts_with_one_query(self, browser: Client) -> None:
        message = queue(State.SCHEDULED)
        attempted(message, answer="the first")
        few = queries(browser, page_url(message))
        for number in range(2, 53):
            attempted(message, number=number, answer="{}")
        assert queries(browser, page_url(message)) == few
        html = browser.get(page_url(message)).rendered_content
        assert html.count("partnerstack-attempt-failed") == 50
        assert "These are the last 50 attempts." in html
        assert "the first" not in html

    def test_shows_earlier_and_later_messages_of_the_same_customer(self, browser: Client) -> None:
        messages = [queue(subject=f"s{number}") for number in range(14)]
        queue(lane="customer:other", subject="foreign")
        html = browser.get(page_url(messages[7])).rendered_content
        table = html.split("partnerstack-messages")[1].split("</table>")[0]
        assert re.findall(r">s(\d+)<", table) == [str(number) for number in range(2, 13)]
        assert page_url(messages[7]) not in table
        assert "foreign" not in table

    def test_links_to_the_mirror_and_to_the_object_of_the_host(self, browser: Client) -> None:
        account = Account.objects.create(email="a@example.com")
        customer = Customer.objects.create(mode="test", key="cus_1", customer_key="shop-account-1")
        payment = Transaction.objects.create(mode="test", key="payment-1")
        message = queue(
            operation="transactions.create", subject="payment-1", source="shop.account", source_pk=account.pk
        )
        html = browser.get(page_url(message)).rendered_content
        for row in (account, customer, payment):
            assert f'href="{page_url(row)}"' in html

    @pytest.mark.parametrize("source", ["gone.model", "contenttypes.contenttype"])
    def test_names_an_object_of_the_host_that_has_no_page(self, browser: Client, source: str) -> None:
        html = browser.get(page_url(queue(source=source, source_pk="7"))).rendered_content
        assert f">{source} 7<" in html

    @pytest.mark.parametrize(
        ("state", "offered"),
        [
            (State.QUEUED, ["retry", "hold", "cancel"]),
            (State.WAITING, ["retry", "hold", "cancel"]),
            (State.ON_HOLD, ["release", "cancel", "mark_delivered"]),
            (State.FAILED, ["retry", "cancel", "mark_delivered"]),
            (State.SENDING, []),
            (State.DELIVERED, []),
        ],
    )
    def test_offers_the_actions_that_its_state_allows(
        self, operator: Client, state: State, offered: list[str]
    ) -> None:
        html = operator.get(page_url(queue(state))).rendered_content
        assert re.findall(r'<button class="button" name="action" value="(\w+)"', html) == offered

    def test_offers_nothing_without_permission(self, browser: Client) -> None:
        assert '<button class="button"' not in browser.get(page_url(queue(State.ON_HOLD))).rendered_content


def test_a_conversion_that_waits_for_its_confirmation_is_no_accident(browser: Client) -> None:
    message = queue(State.UNCONFIRMED, operation="conversions.create")
    for url in (LIST, page_url(message)):
        html = browser.get(url).rendered_content
        assert '<span class="partnerstack-state partnerstack-confirming">to be confirmed</span>' in html
        assert ">unconfirmed</span>" not in html


def test_operators_see_no_lanes(browser: Client) -> None:
    assert not admin.site.is_registered(OutboxLane)
    assert "ueue" not in browser.get("/admin/partnerstack/").rendered_content
