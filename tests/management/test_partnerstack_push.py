"""``manage.py partnerstack_push``."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings
from django.utils import timezone

from django_partnerstack import sources, track
from django_partnerstack.models import Customer, LaneStatus, OutboxLane, ThrottleState
from django_partnerstack.outbox.control import actions
from django_partnerstack.sandbox import TEST_KEYS, Sandbox
from tests.outbox.site import account, messages, payment
from tests.shop.models import Account

KEYS = {"PARTNERSTACK_PUBLIC_KEY": TEST_KEYS[0], "PARTNERSTACK_SECRET_KEY": TEST_KEYS[1]}


@pytest.fixture
def partnerstack(transactional_db: None) -> Iterator[Sandbox]:
    """A sandbox that the site's settings point to."""
    sandbox = Sandbox()
    with (
        sandbox.serve() as server,
        override_settings(**KEYS, PARTNERSTACK_API_URL=f"{server.url}/api/v2", PARTNERSTACK_READ_TIMEOUT=2),
    ):
        yield sandbox


def push(**options: Any) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    call_command("partnerstack_push", stdout=out, stderr=err, no_color=True, **options)
    return out.getvalue(), err.getvalue()


def push_in_vain() -> tuple[str, str]:
    """A run that ends with exit status 1."""
    out, err = StringIO(), StringIO()
    with pytest.raises(SystemExit) as stopped:
        call_command("partnerstack_push", stdout=out, stderr=err, no_color=True)
    assert stopped.value.code == 1
    return out.getvalue(), err.getvalue()


def test_it_sends_what_is_due_and_prints_the_states(partnerstack: Sandbox) -> None:
    payment(account())
    assert push() == ("2 delivered\n", "")
    assert push() == ("Nothing to send.\n", "")
    assert len(partnerstack.objects("transactions")) == 1


def test_it_says_how_many_customers_are_organic(partnerstack: Sandbox) -> None:
    shop = account(partner_key="")
    payment(shop)
    assert push() == ("Nothing to send. 1 customer is organic (no partner) and is not reported.\n", "")
    account(partner_key="", email="b@customers.example")
    assert push() == ("Nothing to send. 2 customers are organic (no partner) and are not reported.\n", "")
    track.signup(shop, partner_key="gstest")
    push()
    assert push() == ("Nothing to send. 1 customer is organic (no partner) and is not reported.\n", "")


def test_it_says_how_many_messages_wait_for_a_customer(partnerstack: Sandbox, django_user_model: Any) -> None:
    user = django_user_model.objects.create(username="ada")
    track.purchase(user, amount=4900, currency="USD", key="inv_1")
    out, err = push()
    assert out.splitlines() == [
        "Nothing to send.",
        "1 customer was never reported, so its payments wait. Save the customers, report them with "
        "track.signup, or run partnerstack_backfill.",
    ]
    assert err == ""
    track.signup(user, email="ada@customers.example", partner_key="gstest")
    assert push() == ("2 delivered\n", "")


def test_it_sends_what_waited_for_a_customer_that_a_sync_found(
    partnerstack: Sandbox, django_user_model: Any
) -> None:
    user = django_user_model.objects.create(username="ada")
    track.purchase(user, amount=4900, currency="USD", key="inv_1")
    push()
    partnerstack.create("customers", customer_key=f"auth-user-{user.pk}", key="cus_1")
    Customer.objects.create(mode="test", key="cus_1", customer_key=f"auth-user-{user.pk}")
    assert push() == ("1 delivered\n", "")


def test_its_exit_status_is_1_while_an_object_could_not_be_reported(
    partnerstack: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = sources.customers[Account]
    monkeypatch.setitem(sources.customers, Account, lambda account: 1 / 0)
    shop, err = account(), StringIO()
    with pytest.raises(SystemExit):
        call_command("partnerstack_push", stdout=StringIO(), stderr=err, no_color=True)
    assert err.getvalue().startswith("1 object could not be reported: its source failed")
    monkeypatch.setitem(sources.customers, Account, usual)
    shop.save()
    assert push() == ("1 delivered\n", "")


def test_its_exit_status_is_1_if_the_keys_are_of_the_other_mode(partnerstack: Sandbox) -> None:
    payment(account())
    with override_settings(PARTNERSTACK_MODE="production"):
        payment(account(email="b@customers.example"))
        out, err = push_in_vain()
    assert "2 delivered" in out
    assert err.startswith("PARTNERSTACK_MODE is production, but PartnerStack returns test data.")


@pytest.mark.django_db
def test_it_counts_no_more_than_a_thousand_organic_customers() -> None:
    OutboxLane.objects.bulk_create(
        OutboxLane(mode="test", key=f"customer:shop-account-{number}", status=LaneStatus.ORGANIC)
        for number in range(1001)
    )
    with override_settings(**KEYS):
        out, _ = push()
    assert out.startswith("Nothing to send. 1000 or more customers are organic")


def test_its_exit_status_is_1_while_a_message_needs_attention(partnerstack: Sandbox, capsys: Any) -> None:
    shop = account()
    push()
    partnerstack.faults.add("status", status=400, method="POST", times=1)
    payment(shop)
    track.event(shop, "demo")
    actions.hold(messages("actions.create")[0])
    err = StringIO()
    with pytest.raises(SystemExit) as stopped:
        call_command("partnerstack_push", stdout=StringIO(), stderr=err, no_color=True)
    assert stopped.value.code == 1
    failed, on_hold = err.getvalue().splitlines()
    assert failed.startswith("1 message failed. Read the reason in the admin")
    assert on_hold.startswith("1 message is on hold. Compare each with PartnerStack")


class TestNothingCanBeSent:
    """The exit status is 1 and the reason is printed, in each run until the cause is gone."""

    def test_because_the_keys_are_wrong_until_they_are_corrected(self, partnerstack: Sandbox) -> None:
        payment(account())
        with override_settings(PARTNERSTACK_SECRET_KEY="sk_wrong"):
            out, err = push_in_vain()
            assert out == "1 scheduled\n"
            assert err.startswith("PartnerStack rejects your API keys: POST /customers: 401 Unauthorized. ")
            assert "Copy the test key pair again" in err
            assert push_in_vain() == ("Nothing was sent.\n", err)
        assert push() == ("2 delivered\n", "")

    def test_because_the_service_is_down(self, partnerstack: Sandbox, free_port: int) -> None:
        payment(account())
        with override_settings(PARTNERSTACK_API_URL=f"http://127.0.0.1:{free_port}/api/v2"):
            out, err = push_in_vain()
            assert "1 scheduled" in out
            assert err.startswith("No request to PartnerStack has succeeded since ")
            assert "Messages are kept and retried." in err
            # Until the next attempt is due nothing is sent, and the messages still are not at PartnerStack.
            OutboxLane.objects.update(due_at=timezone.now() + timedelta(hours=1))
            assert push_in_vain() == ("Nothing was sent.\n", err)
        OutboxLane.objects.update(due_at=timezone.now())
        assert push() == ("2 delivered\n", "")

    def test_because_the_breaker_is_open(self, partnerstack: Sandbox) -> None:
        payment(account())
        until = timezone.now() + timedelta(minutes=5)
        ThrottleState.objects.create(
            mode="test", half_open=True, paused_until=until, pause_reason="8 of 10 requests failed."
        )
        out, err = push_in_vain()
        assert out == "Nothing was sent.\n"
        assert err.startswith("Delivery is paused until ")
        assert "8 of 10 requests failed." in err

    def test_because_partnerstack_asked_for_a_pause(self, partnerstack: Sandbox) -> None:
        payment(account())
        partnerstack.faults.add("status", status=429, retry_after=600)
        out, err = push_in_vain()
        assert out == "1 scheduled\n"
        assert "PartnerStack asked for a pause." in err


def test_its_exit_status_is_0_while_delivery_is_paused_and_nothing_is_left(partnerstack: Sandbox) -> None:
    payment(account())
    push()
    ThrottleState.objects.update(paused_until=timezone.now() + timedelta(minutes=5), pause_reason="Keys.")
    assert push() == ("Nothing to send.\n", "")


def test_a_message_that_waits_for_its_next_attempt_is_not_nothing(partnerstack: Sandbox) -> None:
    account()
    partnerstack.faults.add("status", status=500, method="POST", times=1)
    push_in_vain()
    # Another process has reached PartnerStack since.
    ThrottleState.objects.update(failing_since=None, failed_at=None, failure="")
    OutboxLane.objects.update(due_at=timezone.now() + timedelta(hours=1))
    assert push() == ("Nothing was sent.\n1 message waits for its next attempt.\n", "")


def test_it_sends_no_more_than_the_limit(partnerstack: Sandbox) -> None:
    for name in "abc":
        account(email=f"{name}@customers.example")
    assert push(limit=2) == ("2 delivered\n", "")


def test_it_deletes_old_delivered_messages(partnerstack: Sandbox) -> None:
    payment(account())
    push()
    with override_settings(PARTNERSTACK_RETENTION_DAYS=0):
        push()
    assert [each.operation for each in messages()] == ["customers.create"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("settings", "options", "words"),
    [
        ({}, {}, "PARTNERSTACK_PUBLIC_KEY and PARTNERSTACK_SECRET_KEY are not set"),
        ({**KEYS, "PARTNERSTACK_PUSH_ENABLED": False}, {}, "messages are queued, nothing is sent"),
        ({**KEYS, "PARTNERSTACK_MODE": "live"}, {}, "must be 'test' or 'production'"),
        (KEYS, {"loop": True, "limit": 1}, "Give --loop or --limit, not both"),
    ],
)
def test_it_says_in_one_line_what_is_wrong(settings: Any, options: Any, words: str) -> None:
    with override_settings(**settings), pytest.raises(CommandError, match=words) as error:
        push(**options)
    assert "\n" not in str(error.value)


def test_it_leaves_the_signals_of_its_process_as_they_were(partnerstack: Sandbox) -> None:
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    push()
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before
