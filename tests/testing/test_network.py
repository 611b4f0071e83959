"""No network by mistake: a test run without the kit reaches nothing, and says what to do."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import utils

from django_partnerstack.client import Client
from django_partnerstack.connection import get_client, is_test_run
from django_partnerstack.exceptions import NetworkRefused, NotSent
from django_partnerstack.models import OutboxMessage, State
from django_partnerstack.outbox.push import worker
from django_partnerstack.sandbox import TEST_KEYS
from django_partnerstack.testing import PartnerStack
from example_project.saas import billing

LINE = (
    r"^GET /api/v2/groups\?limit=250: not sent, because this is a test run\. Use the fixture partnerstack or "
    r"PartnerStackMixin of django_partnerstack\.testing, or set PARTNERSTACK_TEST_NETWORK to \"loopback\" or "
    r"\"allowed\"\.$"
)


@pytest.fixture(autouse=True)
def _default(settings: Any, monkeypatch: Any) -> None:
    """The settings of a site that has keys and knows nothing of this, and no socket at all."""
    del settings.PARTNERSTACK_TEST_NETWORK
    settings.PARTNERSTACK_PUBLIC_KEY, settings.PARTNERSTACK_SECRET_KEY = TEST_KEYS

    def refuse(*args: Any, **options: Any) -> Any:
        raise ConnectionRefusedError("a socket was opened")

    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def test_a_request_fails_with_one_line_that_says_what_to_do() -> None:
    with pytest.raises(NetworkRefused, match=LINE):
        get_client().groups.list(limit=250)


def test_a_client_that_the_site_makes_itself_is_refused_too() -> None:
    with Client(*TEST_KEYS) as client, pytest.raises(NetworkRefused, match="because this is a test run"):
        client.customers.create(customer_key="ada", email="ada@example.com", partner_key="grace")


@pytest.mark.django_db
def test_a_message_that_a_test_sends_by_mistake_fails_with_that_line() -> None:
    billing.sign_up(email="ada@example.com", password=None, name="Ada Ltd", partner_key="grace")
    worker(threads=1).run()
    message = OutboxMessage.objects.get()
    assert (message.state, message.attempts) == (State.FAILED, 1)
    assert message.reason.startswith("POST /api/v2/customers: not sent, because this is a test run.")


@pytest.mark.django_db
def test_a_command_that_a_test_calls_by_mistake_ends_with_that_line() -> None:
    with pytest.raises(CommandError, match=LINE.replace("^", "^groups: ")):
        call_command("partnerstack_sync", "groups")


def test_a_sandbox_on_this_machine_can_be_allowed(settings: Any) -> None:
    settings.PARTNERSTACK_TEST_NETWORK = "loopback"
    settings.PARTNERSTACK_API_URL = "http://127.0.0.1:1/api/v2"
    with pytest.raises(NotSent, match="a socket was opened"):
        Client(*TEST_KEYS, api_url="http://127.0.0.1:1").customers.update("ada", name="Ada")
    with pytest.raises(NetworkRefused):
        Client(*TEST_KEYS).groups.list()


def test_everything_can_be_allowed(settings: Any) -> None:
    settings.PARTNERSTACK_TEST_NETWORK = "allowed"
    with pytest.raises(NotSent, match="a socket was opened"):
        Client(*TEST_KEYS).customers.update("ada", name="Ada")


@pytest.mark.django_db
def test_after_the_kit_everything_is_refused_again() -> None:
    with PartnerStack():
        get_client().groups.list()
    with pytest.raises(NetworkRefused):
        get_client().groups.list()


def test_only_a_test_run_is_refused(monkeypatch: Any) -> None:
    assert is_test_run()
    monkeypatch.delattr(utils._TestState, "saved_data")
    assert not is_test_run()
    with pytest.raises(NotSent, match="a socket was opened"):
        Client(*TEST_KEYS).customers.update("ada", name="Ada")
