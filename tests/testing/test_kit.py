"""What the test kit does for the tests of a site. The site is the example project."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.test import Client as Browser
from django.utils import timezone

from django_partnerstack import track
from django_partnerstack.connection import get_client
from django_partnerstack.exceptions import ServerError
from django_partnerstack.models import OutboxMessage, Partnership, State, WebhookEvent, WebhookState
from django_partnerstack.sandbox import TEST_TRACKING_TOKEN
from django_partnerstack.signals import webhook_processed
from django_partnerstack.testing import PartnerStack
from example_project.saas import billing
from example_project.saas.models import Account, Payment

pytestmark = pytest.mark.usefixtures("example_site")

SIGN_UP = {"name": "Ada Ltd", "email": "ada@example.com", "password": "correct horse 9"}


@pytest.fixture
def account(partnerstack: PartnerStack) -> Account:
    """An account of a partner that PartnerStack has."""
    partnerstack.partner("grace")
    account = billing.sign_up(email="ada@example.com", password=None, name="Ada Ltd", partner_key="grace")
    partnerstack.deliver()
    return account


def charge(account: Account, amount: str = "49.00") -> Payment:
    return billing.charge(account, Decimal(amount))


def sign_up(client: Browser) -> None:
    assert client.post("/sign-up/", SIGN_UP).status_code == 302


# Clicks


def test_a_referred_sign_up_is_credited(client: Browser, partnerstack: PartnerStack) -> None:
    partnerstack.click("grace", client)
    sign_up(client)
    partnerstack.deliver()
    assert partnerstack.customers == [{"email": "ada@example.com", "partner_key": "grace"}]


@pytest.mark.django_db(transaction=True)
def test_it_works_without_a_transaction_around_the_test(client: Browser, partnerstack: PartnerStack) -> None:
    partnerstack.click("grace", client)
    sign_up(client)
    partnerstack.deliver()
    assert partnerstack.customers == [{"email": "ada@example.com", "partner_key": "grace"}]


def test_a_click_leads_to_the_page_and_is_known_to_partnerstack(
    client: Browser, partnerstack: PartnerStack
) -> None:
    page = partnerstack.click("grace", client, "/pricing/", sid1="newsletter")
    assert page.status_code == 200
    [click] = partnerstack.sandbox.clicks
    assert (click.partner_key, click.sub_ids) == ("grace", {"sid1": "newsletter"})
    assert "/pricing/?" in partnerstack.landing("grace", "/pricing/")


def test_a_sign_up_without_a_click_sends_nothing(client: Browser, partnerstack: PartnerStack) -> None:
    sign_up(client)
    partnerstack.deliver()
    assert partnerstack.requests == []
    partnerstack.assert_all_delivered()


def test_a_site_that_converts_clicks_does_so_in_tests(
    settings: Any, client: Browser, partnerstack: PartnerStack
) -> None:
    settings.PARTNERSTACK_TRACKING_TOKEN = TEST_TRACKING_TOKEN
    partnerstack.click("grace", client)
    sign_up(client)
    partnerstack.deliver()
    assert partnerstack.customers == [{"email": "ada@example.com", "partner_key": "grace"}]
    partnerstack.assert_all_delivered()


def test_a_click_without_the_middleware_says_so(
    settings: Any, client: Browser, partnerstack: PartnerStack
) -> None:
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "Attribution" not in name]
    with pytest.raises(ImproperlyConfigured, match="is not in MIDDLEWARE"):
        partnerstack.click("grace", client)


def test_a_wrong_page_is_refused_in_one_line(client: Browser, partnerstack: PartnerStack) -> None:
    with pytest.raises(ValueError, match=r"^path must begin with a slash, not be 'pricing'\.$"):
        partnerstack.click("grace", client, "pricing")


# Delivery, faults and time


def test_what_is_due_now_is_sent_and_a_failed_attempt_waits(
    account: Account, partnerstack: PartnerStack
) -> None:
    charge(account)
    partnerstack.fail("transactions", 429, times=2)
    assert partnerstack.deliver() == {"scheduled": 1}
    assert partnerstack.transactions == []
    partnerstack.deliver(minutes=5)
    assert partnerstack.transactions == [{"amount": 4900, "currency": "USD"}]


def test_a_payment_whose_answer_is_lost_is_looked_up_and_reported_once(
    account: Account, partnerstack: PartnerStack
) -> None:
    payment = charge(account)
    partnerstack.fail("transactions", "lost")
    partnerstack.deliver(hours=1)
    assert partnerstack.times("transactions.create", payment.key) == 1
    assert partnerstack.effects == {"customers.create": 1, "transactions.create": 1}


def test_a_payment_in_doubt_waits_until_the_grace_of_its_look_up_has_passed(
    account: Account, partnerstack: PartnerStack
) -> None:
    charge(account)
    partnerstack.fail("transactions", 503, times=2)
    partnerstack.deliver(minutes=10)
    assert partnerstack.transactions == []
    assert "unconfirmed" in partnerstack.explain()
    partnerstack.deliver(minutes=10)
    assert partnerstack.transactions == [{"amount": 4900}]
    assert partnerstack.effects["transactions.create"] == 1


def test_a_fault_lasts_until_it_is_ended(account: Account, partnerstack: PartnerStack) -> None:
    charge(account)
    partnerstack.fail("everything", 503, times=None)
    partnerstack.deliver(hours=2)
    assert partnerstack.transactions == []
    partnerstack.recover()
    partnerstack.deliver(hours=2)
    assert partnerstack.transactions == [{"customer": {"email": "ada@example.com"}}]


def test_time_passes_only_when_the_test_says_so(account: Account, partnerstack: PartnerStack) -> None:
    before = timezone.now()
    charge(account)
    partnerstack.travel(days=3)
    partnerstack.deliver()
    [message] = OutboxMessage.objects.filter(operation="transactions.create")
    assert (message.first_sent_at - before).days == 3
    assert partnerstack.transactions[0]["created_at"] > before.timestamp() * 1000 + 2 * 86_400_000
    assert (timezone.now() - before).total_seconds() < 3600


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (("payments", 503), "There is no resource 'payments'. Known: groups, partnerships"),
        (("customers", "broken"), "There is no fault 'broken'. Known: latency"),
    ],
)
def test_a_wrong_fault_is_refused_in_one_line(
    wrong: tuple[str, Any], message: str, partnerstack: PartnerStack
) -> None:
    with pytest.raises(ValueError, match=message):
        partnerstack.fail(*wrong)


def test_nothing_is_sent_within_a_transaction_of_the_site(
    account: Account, partnerstack: PartnerStack
) -> None:
    with transaction.atomic():
        charge(account)
        with pytest.raises(RuntimeError, match=r"Call deliver\(\) after the block"):
            partnerstack.deliver()
    assert partnerstack.deliver() == {"delivered": 1}


def test_a_transaction_that_an_error_has_ended_is_named(partnerstack: PartnerStack) -> None:
    Partnership.objects.create(mode="test", key="part_1")
    with pytest.raises(IntegrityError):
        Partnership.objects.create(mode="test", key="part_1")
    with pytest.raises(RuntimeError, match="has ended the transaction of this test"):
        partnerstack.deliver()


def test_no_socket_no_thread_and_no_sleep(
    monkeypatch: Any, account: Account, partnerstack: PartnerStack
) -> None:
    def refuse(*args: Any, **options: Any) -> Any:
        raise AssertionError("not in a test")

    for place, name in ((socket.socket, "connect"), (threading.Thread, "start"), (threading.Event, "wait")):
        monkeypatch.setattr(place, name, refuse)
    monkeypatch.setattr("time.sleep", refuse)
    charge(account)
    partnerstack.fail("transactions", "lost")
    partnerstack.fail("partnerships", 503)
    partnerstack.deliver(hours=1)
    partnerstack.sync("partnerships")
    partnerstack.webhook("partnership.updated", "grace", first_name="Grace")
    assert [each.email for each in get_client().customers.iterate()] == ["ada@example.com"]


def test_the_sites_own_requests_and_the_commands_reach_the_sandbox_too(
    account: Account, partnerstack: PartnerStack, capsys: Any
) -> None:
    assert [each.email for each in get_client().customers.iterate()] == ["ada@example.com"]
    call_command("partnerstack_sync", "customers")
    assert "1" in capsys.readouterr().out
    partnerstack.fail("customers", 500, times=None)
    with pytest.raises(ServerError):
        get_client().customers.list()


def test_a_site_in_production_mode_is_tested_in_production_mode(settings: Any, db: None) -> None:
    settings.PARTNERSTACK_MODE = "production"
    with PartnerStack() as partnerstack:
        partnerstack.partner("grace")
        billing.sign_up(email="ada@example.com", password=None, name="Ada Ltd", partner_key="grace")
        assert partnerstack.deliver() == {"delivered": 1}
        assert partnerstack.customers == [{"partner_key": "grace", "test": False}]


def test_what_was_queued_before_the_kit_began_is_delivered(db: None) -> None:
    billing.sign_up(email="ada@example.com", password=None, name="Ada Ltd", partner_key="grace")
    with PartnerStack() as partnerstack:
        partnerstack.partner("grace")
        partnerstack.deliver()
        assert partnerstack.customers == [{"email": "ada@example.com"}]


# Webhooks and mirrors


@pytest.fixture
def heard() -> Iterator[list[str]]:
    """The events that the site's receiver was told of."""
    events: list[str] = []

    def receive(signal: object, event: str, **about: Any) -> None:
        events.append(event)

    webhook_processed.connect(receive)
    yield events
    webhook_processed.disconnect(receive)


def test_a_webhook_changes_the_mirror_and_the_site_hears_of_it(
    partnerstack: PartnerStack, heard: list[str]
) -> None:
    event = partnerstack.webhook("partnership.updated", "grace", first_name="Grace")
    assert event.state == WebhookState.DONE
    assert Partnership.objects.get(partner_key="grace").first_name == "Grace"
    assert heard == ["partnership.updated"]


@pytest.mark.parametrize("event", ["application.approved", "agreement.accepted", "partnership.tags_updated"])
def test_other_events_about_a_partner_bring_the_partner(event: str, partnerstack: PartnerStack) -> None:
    assert partnerstack.webhook(event, "grace").state == WebhookState.DONE
    assert Partnership.objects.filter(partner_key="grace").exists()


def test_a_removed_partner_is_missing_in_the_mirror(partnerstack: PartnerStack) -> None:
    partnerstack.webhook("partnership.created", "grace")
    assert partnerstack.webhook("partnership.deleted", "grace").state == WebhookState.DONE
    row = Partnership.objects.get(partner_key="grace")
    assert row.archived or row.missing_since
    assert not any(each == {"partner_key": "grace"} for each in partnerstack.partnerships)


def test_a_webhook_whose_object_cannot_be_read_is_processed_later(partnerstack: PartnerStack) -> None:
    partnerstack.fail("partnerships", 503)
    event = partnerstack.webhook("partnership.updated", "grace")
    assert event.state == WebhookState.RECEIVED
    assert "503" in partnerstack.explain()
    partnerstack.deliver(minutes=5)
    assert WebhookEvent.objects.get().state == WebhookState.DONE


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("partner.updated", "grace"), ValueError, "There is no event 'partner.updated'"),
        (("deal.updated", "deal_1"), LookupError, "There is no deal 'deal_1' in test mode"),
    ],
)
def test_a_wrong_webhook_is_refused_in_one_line(
    arguments: tuple[str, str], error: type[Exception], message: str, partnerstack: PartnerStack
) -> None:
    with pytest.raises(error, match=message):
        partnerstack.webhook(*arguments)


def test_a_site_that_does_not_accept_webhooks_fails_the_test(
    settings: Any, partnerstack: PartnerStack
) -> None:
    settings.ALLOWED_HOSTS = ["elsewhere.example"]
    with pytest.raises(AssertionError, match="The site answered 400 to the webhook"):
        partnerstack.webhook("partnership.updated", "grace")


def test_the_programme_is_synced_to_the_mirrors(partnerstack: PartnerStack) -> None:
    partnerstack.partner("grace", first_name="Grace")
    partnerstack.sync()
    assert Partnership.objects.get(partner_key="grace").first_name == "Grace"


# Why


def test_an_explanation_says_what_was_queued_and_why_it_waits(
    account: Account, partnerstack: PartnerStack
) -> None:
    payment = charge(account)
    assert f"transactions.create {payment.key}: queued" in partnerstack.explain()
    assert "call partnerstack.deliver()" in partnerstack.explain()
    partnerstack.fail("transactions", 429)
    partnerstack.deliver()
    with pytest.raises(AssertionError) as failure:
        partnerstack.assert_all_delivered()
    text = str(failure.value)
    assert text.startswith(f"1 not delivered: transactions.create {payment.key}.")
    assert "HTTP 429" in text
    assert "Delivery is paused for" in text


def test_an_explanation_names_the_sources_if_nothing_is_queued(partnerstack: PartnerStack) -> None:
    assert "No message is queued." in partnerstack.explain()
    assert "saas.Account, saas.Payment" in partnerstack.explain()


def test_an_explanation_names_the_error_of_a_source(account: Account, partnerstack: PartnerStack) -> None:
    billing.charge(account, Decimal("1"), currency="XQX")
    assert "An object of saas.payment could not be reported" in partnerstack.explain()


def test_an_explanation_says_when_a_retry_is_due(account: Account, partnerstack: PartnerStack) -> None:
    charge(account)
    partnerstack.fail("transactions", "reset")
    partnerstack.deliver()
    assert "partnerstack.deliver(minutes=1) delivers what becomes due until then." in partnerstack.explain()


def test_the_end_of_the_kit_is_the_end_of_the_sandbox(account: Account, partnerstack: PartnerStack) -> None:
    with PartnerStack() as inner:
        assert inner.customers == []
        assert list(get_client().customers.iterate()) == []
    assert partnerstack.customers == [{"customer_key": track.customer_key(account)}]
    assert len(list(get_client().customers.iterate())) == 1
    assert OutboxMessage.objects.get().state == State.DELIVERED
