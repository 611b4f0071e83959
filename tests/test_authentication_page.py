"""The page that explains the keys, done step by step: docs.partnerstack.com/docs/authentication."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from django.core import checks
from requests.auth import HTTPBasicAuth

from django_partnerstack.client import Client
from django_partnerstack.exceptions import AuthenticationFailed, BadRequest
from django_partnerstack.sandbox import PRODUCTION_KEYS, TEST_KEYS, Sandbox

TIMEOUT = 10


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox()


@pytest.fixture
def url(sandbox: Sandbox) -> Iterator[str]:
    with sandbox.serve() as server:
        yield server.url


@pytest.mark.django_db  # The newest Django lets checks ask the database.
def test_what_the_page_says_is_true_step_by_step(sandbox: Sandbox, url: str, settings: Any) -> None:
    both_ways_of_sending_the_keys_read_a_partnership(url)
    the_client_sends_the_same_header(url)
    wrong_keys_open_nothing(url)
    with Client(*TEST_KEYS, f"{url}/api/v2") as test, Client(*PRODUCTION_KEYS, f"{url}/api/v2") as production:
        customers_created_with_test_keys_are_test_customers(test)
        another_test_partner_is_created_with_test_keys(test)
        a_test_customer_needs_a_test_partner(sandbox, test)
        only_test_keys_record_transactions_of_test_customers(sandbox, test, production)
        transactions_of_test_customers_earn_no_reward(test, production)
    the_launch_is_reminded_of(settings)


def both_ways_of_sending_the_keys_read_a_partnership(url: str) -> None:
    """The page's own samples, with the sandbox's address and keys, and the client beside them."""
    pair = base64.b64encode(":".join(TEST_KEYS).encode()).decode()
    for auth, headers in ((HTTPBasicAuth(*TEST_KEYS), {}), (None, {"Authorization": f"Basic {pair}"})):
        for path, envelope in (("/v1", "rdata"), ("/api/v2", "data")):
            address = f"{url}{path}/partnerships/gstest"
            answer = requests.get(address, auth=auth, headers=headers, timeout=TIMEOUT)
            assert answer.status_code == 200
            assert answer.json()[envelope]["partner_key"] == "gstest"


def the_client_sends_the_same_header(url: str) -> None:
    sent: list[str] = []
    with requests.Session() as session:
        session.hooks["response"].append(lambda r, **_: sent.append(r.request.headers["Authorization"]))
        for path in ("/v1", "/api/v2"):
            client = Client(*TEST_KEYS, api_url=f"{url}{path}", session=session)
            assert client.partnerships.get("gstest").partner_key == "gstest"
    pair = base64.b64encode(":".join(TEST_KEYS).encode()).decode()
    assert sent == [f"Basic {pair}"] * 2


def wrong_keys_open_nothing(url: str) -> None:
    for keys in ((TEST_KEYS[0], PRODUCTION_KEYS[1]), TEST_KEYS[::-1]):
        with Client(*keys, api_url=f"{url}/api/v2") as client, pytest.raises(AuthenticationFailed):
            client.partnerships.get("gstest")


def customers_created_with_test_keys_are_test_customers(test: Client) -> None:
    created = test.customers.create(customer_key="acme", email="a@site.example", partner_key="gstest")
    assert created.test is True
    assert test.customers.get("acme").test is True


def another_test_partner_is_created_with_test_keys(test: Client) -> None:
    test.partnerships.create(email="second@partner.example", partner_key="second")
    created = test.customers.create(customer_key="other", email="o@site.example", partner_key="second")
    assert (created.partner_key, created.test) == ("second", True)


def a_test_customer_needs_a_test_partner(sandbox: Sandbox, test: Client) -> None:
    with pytest.raises(BadRequest, match="test partner"):
        test.customers.create(customer_key="third", email="t@site.example", partner_key="sandboxpartner")
    assert ("test", "customers.create", "third") not in sandbox.effects


def pay(client: Client, key: str, customer: str = "acme") -> None:
    client.transactions.create(key=key, amount=4900, currency="USD", customer_external_key=customer)


def only_test_keys_record_transactions_of_test_customers(
    sandbox: Sandbox, test: Client, production: Client
) -> None:
    with pytest.raises(BadRequest):
        pay(production, "inv-1")
    pay(test, "inv-1")
    assert [key for key in sandbox.effects if key[1] == "transactions.create"] == [
        ("test", "transactions.create", "inv-1")
    ]


def transactions_of_test_customers_earn_no_reward(test: Client, production: Client) -> None:
    assert list(test.rewards.iterate()) == []
    production.customers.create(customer_key="live", email="l@site.example", partner_key="sandboxpartner")
    pay(production, "inv-2", "live")
    assert [reward.transaction_key for reward in production.rewards.iterate()] == ["inv-2"]


def the_launch_is_reminded_of(settings: Any) -> None:
    """Before launching, change the keys to production."""
    settings.DEBUG = False
    settings.PARTNERSTACK_PUBLIC_KEY, settings.PARTNERSTACK_SECRET_KEY = "pk_1", "sk_1"
    for mode, warned in (("test", True), ("production", False)):
        settings.PARTNERSTACK_MODE = mode
        found = checks.run_checks(tags=["partnerstack"], include_deployment_checks=True)
        assert ["before launching" in str(message.hint) for message in found] == [True] * warned
