"""No key of a site is ever seen: not in a log, a repr, a traceback with its variables, a page or a table."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser

from django_partnerstack.client import Client
from django_partnerstack.connection import get_client
from django_partnerstack.models import MIRRORS, Partnership
from django_partnerstack.outbox.delivery.loop import site_delivery
from django_partnerstack.sandbox import Sandbox
from tests.shop.models import Account, Payment

from .canary import PUBLIC, SECRET, TOKEN, Told
from .client.servers import Connection, Server, reply

pytestmark = pytest.mark.django_db(transaction=True)

FAULTS: dict[str, dict[str, Any]] = {
    **{str(status): {"kind": "status", "status": status} for status in (400, 401, 403, 404, 409, 429, 500)},
    **{kind: {"kind": kind} for kind in ("lost", "reset", "empty", "html", "truncated", "oversized")},
    "slow": {"kind": "latency", "seconds": 0.5},
}


@pytest.fixture
def told() -> Iterator[Told]:
    told, root = Told(), logging.getLogger()
    handler, level = told.listen(), root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield told
    root.removeHandler(handler)
    root.setLevel(level)


@pytest.fixture
def site(settings: Any) -> Iterator[Sandbox]:
    sandbox = Sandbox(partnerships=2, customers=3, transactions=3, deals=1, leads=1, actions=1, rewards=1)
    settings.PARTNERSTACK_PUBLIC_KEY, settings.PARTNERSTACK_SECRET_KEY = PUBLIC, SECRET
    settings.PARTNERSTACK_TRACKING_TOKEN = TOKEN
    settings.PARTNERSTACK_READ_TIMEOUT = 0.3
    with sandbox.serve() as server:
        settings.PARTNERSTACK_API_URL = f"{server.url}/api/v2"
        settings.PARTNERSTACK_CONVERSION_URL = f"{server.url}/conversion/xid"
        yield sandbox


@pytest.fixture
def browser() -> Browser:
    browser = Browser()
    browser.force_login(User.objects.create_superuser("boss"))
    return browser


def repeat_the_keys(connection: Connection) -> None:
    """A proxy's page for developers, which shows what was sent."""
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


def call_all(told: Told, name: str) -> None:
    with get_client(deadline=0.4) as client:
        for what, call in calls(client).items():
            told.attempt(f"{what} with {name}", call)


def sell() -> Payment:
    account = Account.objects.create(email="a@site.example", partner_key="gstest")
    return Payment.objects.create(account=account, total="49.00")


def act(browser: Browser, action: str, model: Any) -> str:
    form = {"action": action, "index": 0, "_selected_action": model.objects.values_list("pk", flat=True)}
    address = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
    return browser.post(address, form, follow=True).content.decode()


def test_no_kind_of_failure_shows_a_key(told: Told, site: Sandbox, settings: Any) -> None:
    for name, fault in FAULTS.items():
        site.faults.add(**fault)
        call_all(told, name)
        site.faults.clear()
    with Server(repeat_the_keys) as server:
        settings.PARTNERSTACK_API_URL = settings.PARTNERSTACK_CONVERSION_URL = server.url
        call_all(told, "keys repeated")
    call_all(told, "nobody there")
    assert {"write with lost: locals", "read with keys repeated: technical page"} <= set(told.texts)
    assert told.leaks == []


def test_nothing_shows_a_key_while_a_programme_is_mirrored(
    told: Told, site: Sandbox, browser: Browser
) -> None:
    assert told.command("partnerstack_sync")
    site.faults.add("status", status=401)
    assert not told.command("partnerstack_sync", "--full", "--json")
    told.add("refreshed in vain", act(browser, "refresh_from_partnerstack", Partnership))
    site.faults.clear()
    told.add("refreshed", act(browser, "refresh_from_partnerstack", Partnership))
    told.pages(browser)
    told.tables()
    assert all(model.objects.exists() for model in MIRRORS.values())
    assert told.leaks == []


@pytest.mark.parametrize("fault", FAULTS)
def test_nothing_shows_a_key_while_messages_are_pushed(
    told: Told, site: Sandbox, browser: Browser, fault: str
) -> None:
    sell()
    befallen = site.faults.add(**FAULTS[fault], times=2)
    for model in (Account, Payment):
        told.add("pushed", act(browser, "push_to_partnerstack", model))
    told.pages(browser)
    told.tables()
    assert befallen.times < 2
    assert told.leaks == []


def test_nothing_shows_a_key_that_partnerstack_repeats(
    told: Told, settings: Any, browser: Browser, site: Sandbox
) -> None:
    sell()
    with Server(repeat_the_keys) as server:
        settings.PARTNERSTACK_API_URL = settings.PARTNERSTACK_CONVERSION_URL = server.url
        told.command("partnerstack_sync")
        told.add("pushed", act(browser, "push_to_partnerstack", Account))
    told.pages(browser)
    told.tables()
    assert "***" in told.texts["tables"]
    assert told.leaks == []


def test_no_object_shows_a_key(told: Told, site: Sandbox) -> None:
    client, worker = get_client(), site_delivery()
    for thing in (client, worker, client._api, client._api._transport, client._keys):
        told.add(type(thing).__name__, repr(thing))
        told.add(f"variables of {type(thing).__name__}", repr(getattr(thing, "__dict__", "")))
    assert told.leaks == []


def test_a_key_that_is_shown_is_found(told: Told, browser: Browser) -> None:
    def fail(key: str) -> None:
        raise ValueError("No key in here.")

    logging.getLogger("django_partnerstack").debug("It is %s", [SECRET])
    Partnership.objects.create(mode="test", key="part_1", email=SECRET)
    told.attempt("read", lambda: fail(SECRET))
    told.tables()
    told.pages(browser)
    assert {"read: locals", "read: technical page", "tables", "log"} <= set(told.leaks)
    assert {"/admin/partnerstack/partnership/"} <= set(told.leaks)
