"""No log, repr, traceback with local variables, admin page or table shows a key of the site."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.checks import run_checks
from django.core.management import call_command
from django.test import Client as Browser

from django_partnerstack.client import Client
from django_partnerstack.connection import get_client
from django_partnerstack.models import Partnership, WebhookEvent
from django_partnerstack.outbox.push import worker
from django_partnerstack.resources import RESOURCES
from django_partnerstack.sandbox import Sandbox
from tests.shop.models import Account, Payment

from .canary import PUBLIC, SECRET, TOKEN, WEBHOOK_SECRET, Output
from .client.servers import Connection, Server, reply

pytestmark = pytest.mark.django_db(transaction=True)

FAULTS: dict[str, dict[str, Any]] = {
    **{str(status): {"kind": "status", "status": status} for status in (400, 401, 403, 404, 409, 429, 500)},
    **{kind: {"kind": kind} for kind in ("lost", "reset", "empty", "html", "truncated", "oversized")},
    "slow": {"kind": "latency", "seconds": 0.5},
}


@pytest.fixture
def output() -> Iterator[Output]:
    output, root = Output(), logging.getLogger()
    handler, level = output.listen(), root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield output
    root.removeHandler(handler)
    root.setLevel(level)


@pytest.fixture
def site(settings: Any) -> Iterator[Sandbox]:
    sandbox = Sandbox(partnerships=2, customers=3, transactions=3, deals=1, leads=1, actions=1, rewards=1)
    settings.PARTNERSTACK_PUBLIC_KEY, settings.PARTNERSTACK_SECRET_KEY = PUBLIC, SECRET
    settings.PARTNERSTACK_TRACKING_TOKEN = TOKEN
    settings.PARTNERSTACK_READ_TIMEOUT = 0.3
    settings.PARTNERSTACK_WEBHOOK_SECRETS = [WEBHOOK_SECRET]
    with sandbox.serve() as server:
        settings.PARTNERSTACK_API_URL = f"{server.url}/api/v2"
        settings.PARTNERSTACK_CONVERSION_URL = f"{server.url}/conversion/xid"
        yield sandbox


@pytest.fixture
def browser() -> Browser:
    browser = Browser()
    browser.force_login(User.objects.create_superuser("boss"))
    return browser


def echo_the_keys(connection: Connection) -> None:
    """Respond with an error page that repeats the request, as a proxy may do."""
    while request := connection.read_request():
        lines = dict(line.split(": ", 1) for line in request.decode().split("\r\n\r\n")[0].split("\r\n")[1:])
        sent = f"{lines['Authorization']} {SECRET} {TOKEN}"
        connection.send(reply(body=f"<h1>{sent}</h1>".encode(), status="400 Bad Request", X_Debug=sent))


def calls(client: Client) -> dict[str, Any]:
    """A read, a write and a conversion."""
    return {
        "read": lambda: client.partnerships.list(),
        "write": lambda: client.customers.create(
            customer_key="a-1", email="a@site.example", partner_key="gstest"
        ),
        "conversion": lambda: client.conversions.create(xid="x-1", customer_key="a-2"),
    }


def call_all(output: Output, name: str) -> None:
    with get_client(deadline=0.4) as client:
        for what, call in calls(client).items():
            output.attempt(f"{what} with {name}", call)


def sell() -> Payment:
    account = Account.objects.create(email="a@site.example", partner_key="gstest")
    return Payment.objects.create(account=account, total="49.00")


def act(browser: Browser, action: str, model: Any) -> str:
    form = {"action": action, "index": 0, "_selected_action": model.objects.values_list("pk", flat=True)}
    address = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
    return browser.post(address, form, follow=True).content.decode()


def test_no_failed_request_shows_a_key(output: Output, site: Sandbox, settings: Any) -> None:
    for name, fault in FAULTS.items():
        site.faults.add(**fault)
        call_all(output, name)
        site.faults.clear()
    with Server(echo_the_keys) as server:
        settings.PARTNERSTACK_API_URL = settings.PARTNERSTACK_CONVERSION_URL = server.url
        call_all(output, "keys echoed")
    call_all(output, "no connection")
    assert {"write with lost: locals", "read with keys echoed: technical page"} <= set(output.texts)
    assert output.leaks == []


def test_nothing_shows_a_key_during_a_sync(output: Output, site: Sandbox, browser: Browser) -> None:
    assert output.command("partnerstack_sync")
    site.faults.add("status", status=401)
    assert not output.command("partnerstack_sync", "--full", "--json")
    output.add("refresh failed", act(browser, "refresh_from_partnerstack", Partnership))
    site.faults.clear()
    output.add("refreshed", act(browser, "refresh_from_partnerstack", Partnership))
    output.pages(browser)
    output.tables()
    assert all(resource.model.objects.exists() for resource in RESOURCES.values())
    assert output.leaks == []


@pytest.mark.parametrize("fault", FAULTS)
def test_nothing_shows_a_key_during_a_delivery(
    output: Output, site: Sandbox, browser: Browser, fault: str
) -> None:
    sell()
    injected = site.faults.add(**FAULTS[fault], times=2)
    for model in (Account, Payment):
        output.add("pushed", act(browser, "push_to_partnerstack", model))
    output.pages(browser)
    output.tables()
    assert injected.times < 2
    assert output.leaks == []


def test_nothing_shows_a_key_that_a_response_echoes(
    output: Output, settings: Any, browser: Browser, site: Sandbox
) -> None:
    sell()
    with Server(echo_the_keys) as server:
        settings.PARTNERSTACK_API_URL = settings.PARTNERSTACK_CONVERSION_URL = server.url
        output.command("partnerstack_sync")
        output.add("pushed", act(browser, "push_to_partnerstack", Account))
    output.pages(browser)
    output.tables()
    assert "***" in output.texts["tables"]
    assert output.leaks == []


def test_nothing_shows_the_secret_of_webhooks(
    output: Output, site: Sandbox, browser: Browser, settings: Any
) -> None:
    url, endpoints = (
        f"/partnerstack/webhooks/{WEBHOOK_SECRET}/",
        "/admin/partnerstack/webhookevent/endpoints/",
    )
    api_url = settings.PARTNERSTACK_API_URL
    assert output.command("partnerstack_webhooks", "register", "https://site.example")
    assert output.command("partnerstack_webhooks", "list")
    for body in (b"{", b"x" * 300_000, b'{"event": "x", "url": "https://site.example%s"}' % url.encode()):
        response = Browser().post(url, body, content_type="application/json")
        output.add("responses", f"{response.status_code} {response.content!r} {response.headers}")
    assert output.command("partnerstack_webhooks", "trigger", "partnership.updated")
    for fault in (FAULTS["500"], FAULTS["lost"], FAULTS["html"], FAULTS["403"]):
        site.faults.add(**fault)
        assert output.command("partnerstack_webhooks", "process")
        assert not output.command("partnerstack_webhooks", "register", "https://other.example")
        output.add("endpoints failed", browser.get(endpoints).content.decode())
        site.faults.clear()
    with Server(echo_the_keys) as server:
        settings.PARTNERSTACK_API_URL = server.url
        assert not output.command("partnerstack_webhooks", "register", "https://other.example")
    output.attempt(
        "trigger", lambda: call_command("partnerstack_webhooks", "trigger", "x", url="http://127.0.0.1:1")
    )
    settings.PARTNERSTACK_API_URL = api_url
    output.command("partnerstack_webhooks", "status")
    output.command("partnerstack_webhooks", "replay", "--since", "1h")
    output.add("endpoints", browser.get(endpoints).content.decode())
    output.attempt("checks", lambda: run_checks(databases=["default"]))
    output.pages(browser)
    output.tables()
    assert WebhookEvent.objects.exists()
    assert output.leaks == []


def test_no_repr_shows_a_key(output: Output, site: Sandbox) -> None:
    client, loop = get_client(), worker()
    for thing in (client, loop, client._api, client._api.transport, client._keys):
        output.add(type(thing).__name__, repr(thing))
        output.add(f"variables of {type(thing).__name__}", repr(getattr(thing, "__dict__", "")))
    assert output.leaks == []


def test_the_search_finds_a_key_that_is_shown(output: Output, browser: Browser) -> None:
    def fail(key: str) -> None:
        raise ValueError("There is no key in this message.")

    logging.getLogger("django_partnerstack").debug("It is %s", [SECRET])
    Partnership.objects.create(mode="test", key="part_1", email=SECRET)
    output.attempt("read", lambda: fail(SECRET))
    output.tables()
    output.pages(browser)
    assert {"read: locals", "read: technical page", "tables", "log"} <= set(output.leaks)
    assert {"/admin/partnerstack/partnership/"} <= set(output.leaks)
