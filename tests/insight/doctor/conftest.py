from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from threading import Thread
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from django.core.wsgi import get_wsgi_application

from django_partnerstack.insight.doctor import Item, examine
from django_partnerstack.models import Worker
from django_partnerstack.sandbox import TEST_KEYS, Sandbox

SECRET = "aSecretOfTheWebhooksThatNobodyKnows01"


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox(partnerships=3, customers=5, transactions=5, deals=2, leads=2, actions=2, rewards=2)


@pytest.fixture
def healthy(db: None, sandbox: Sandbox, settings: Any) -> Iterator[Sandbox]:
    """A site without anything to find: connected to the sandbox, with a worker."""
    settings.PARTNERSTACK_PUBLIC_KEY, settings.PARTNERSTACK_SECRET_KEY = TEST_KEYS
    Worker.objects.create(mode="test", host="worker-1", pid=1, jobs={"delivery": "", "sync": ""})
    with sandbox.serve() as server:
        settings.PARTNERSTACK_API_URL = f"{server.url}/api/v2"
        settings.PARTNERSTACK_CONVERSION_URL = f"{server.url}/conversion/xid"
        yield sandbox


class Quiet(WSGIRequestHandler):
    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def site_url(settings: Any) -> Iterator[str]:
    """This site itself, as PartnerStack would reach it."""
    with make_server("127.0.0.1", 0, get_wsgi_application(), handler_class=Quiet) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def with_webhooks(healthy: Sandbox, site_url: str, settings: Any) -> Sandbox:
    """A healthy site that is registered for webhooks."""
    settings.PARTNERSTACK_WEBHOOK_SECRETS = [SECRET]
    register(healthy, f"{site_url}/partnerstack/webhooks/{SECRET}/")
    return healthy


def register(sandbox: Sandbox, url: str) -> None:
    sandbox.create(
        "webhooks", mode="test", target_url=url, events=["customer.created", "partnership.updated"]
    )


@pytest.fixture
def items() -> Callable[[], dict[str, Item]]:
    return lambda: {item.name: item for item in examine()}


@pytest.fixture
def codes() -> Callable[[], list[str]]:
    """The codes of all findings."""
    return lambda: [finding.code for item in examine() for finding in item.findings]


@pytest.fixture
def free_port() -> int:
    """A port on which nothing listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
