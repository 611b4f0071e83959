"""What the sandbox delivers to registered URLs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Event, Thread
from typing import Any

import pytest

from django_partnerstack.sandbox import Sandbox

URL = "http://127.0.0.1:8000/hook/"
EVENTS = [
    f"{noun}.{verb}" for noun in ("partnership", "customer") for verb in ("created", "updated", "deleted")
]


class Endpoint:
    """An endpoint that records what it receives."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.bodies: list[Any] = []
        self.statuses: list[int] = []
        sandbox.deliveries.send = self.receive
        sandbox.create("webhooks", target_url=URL, events=EVENTS)

    def receive(self, url: str, content: bytes) -> int:
        assert url == URL
        self.bodies.append(json.loads(content))
        return self.statuses.pop(0) if self.statuses else 200

    def events(self) -> list[str]:
        """The names of the events that are delivered now."""
        self.sandbox.deliveries.deliver_due()
        names = [body["event"] for body in self.bodies]
        self.bodies.clear()
        return names


@pytest.fixture
def endpoint(sandbox: Sandbox) -> Endpoint:
    return Endpoint(sandbox)


def partner(sandbox: Sandbox) -> str:
    key: str = sandbox.objects("partnerships")[0]["key"]
    return key


def test_changes_in_the_dashboard_and_through_the_api_are_delivered(
    sandbox: Any, api: Any, endpoint: Any
) -> None:
    sandbox.change("partnerships", partner(sandbox), first_name="New")
    key = api.customer()["key"]
    sandbox.remove("customers", key)
    assert endpoint.events() == ["partnership.updated", "customer.created", "customer.deleted"]


def test_an_archived_object_is_deleted(sandbox: Sandbox, endpoint: Endpoint) -> None:
    sandbox.change("partnerships", partner(sandbox), archived=True)
    assert endpoint.events() == ["partnership.deleted"]


def test_only_events_of_the_list_and_of_the_mode_are_delivered(sandbox: Sandbox, endpoint: Endpoint) -> None:
    sandbox.create("groups", name="Gold")
    sandbox.create("partnerships", mode="production")
    assert endpoint.events() == []


def test_an_archived_endpoint_receives_nothing(sandbox: Sandbox, endpoint: Endpoint) -> None:
    sandbox.change("webhooks", sandbox.objects("webhooks")[0]["key"], archived=True)
    sandbox.change("partnerships", partner(sandbox), first_name="New")
    assert endpoint.events() == []


def test_an_enveloped_body(sandbox: Sandbox, endpoint: Endpoint) -> None:
    customer = sandbox.create("customers", customer_key="account-1", name="Ada", email="ada@b.example")
    sandbox.deliveries.deliver_due()
    [body] = endpoint.bodies
    assert (body["event"], body["test"], body["data"]["key"]) == ("customer.created", True, customer["key"])
    assert (body["data"]["customer_name"], body["data"]["customer_email"]) == ("Ada", "ada@b.example")


def test_a_flat_partnership_has_neither_a_key_nor_a_time(sandbox: Sandbox, endpoint: Endpoint) -> None:
    sandbox.behaviour.change(webhook_body="flat", webhook_names="underscore")
    sandbox.change("partnerships", partner(sandbox), first_name="New")
    sandbox.deliveries.deliver_due()
    [body] = endpoint.bodies
    assert (body["event"], body["archived"], body["first_name"]) == ("partnership_updated", "false", "New")
    assert not body.keys() & {"key", "updated_at", "data"}


def test_a_delay(sandbox: Sandbox, endpoint: Endpoint, clock: Any) -> None:
    sandbox.behaviour.webhook_delay = (2, 3)
    sandbox.change("partnerships", partner(sandbox), first_name="New")
    clock.now += 1.9
    assert endpoint.events() == []
    clock.now += 1.1
    assert endpoint.events() == ["partnership.updated"]


@pytest.mark.parametrize(
    ("switch", "least", "most"), [("webhook_lost", 60, 95), ("webhook_doubled", 105, 140)]
)
def test_lost_and_doubled_deliveries(
    sandbox: Sandbox, endpoint: Endpoint, switch: str, least: int, most: int
) -> None:
    sandbox.behaviour.change(**{switch: 0.2})
    for number in range(100):
        sandbox.change("partnerships", partner(sandbox), first_name=f"{number}")
    assert least <= len(endpoint.events()) <= most


def test_reordered_deliveries(sandbox: Sandbox, endpoint: Endpoint, clock: Any) -> None:
    sandbox.behaviour.webhook_reordered = 1
    for number in range(10):
        sandbox.change("partnerships", partner(sandbox), first_name=f"{number}")
    clock.now += 3
    sandbox.deliveries.deliver_due()
    names = [body["data"]["first_name"] for body in endpoint.bodies]
    assert sorted(names) == [f"{number}" for number in range(10)]
    assert names != sorted(names)


def test_a_refused_delivery_is_not_sent_again_unless_the_switch_says_so(
    sandbox: Sandbox, endpoint: Endpoint, clock: Any
) -> None:
    for retries, expected in ((0, 1), (2, 3)):
        sandbox.behaviour.webhook_retries = retries
        endpoint.statuses = [503, 503, 200]
        sandbox.change("partnerships", partner(sandbox), first_name=f"{retries}")
        for _ in range(10):
            sandbox.deliveries.deliver_due()
            clock.now += 1
        assert len(endpoint.bodies) == expected
        endpoint.bodies.clear()


def test_nothing_is_sent_to_other_machines(sandbox: Sandbox, endpoint: Endpoint) -> None:
    sandbox.change("webhooks", sandbox.objects("webhooks")[0]["key"], target_url="https://elsewhere.example/")
    sandbox.change("partnerships", partner(sandbox), first_name="New")
    assert endpoint.events() == []
    assert sandbox.deliveries.ended[0].status == 0


def test_a_reset_forgets_deliveries(sandbox: Sandbox, endpoint: Endpoint) -> None:
    sandbox.change("partnerships", partner(sandbox), first_name="New")
    sandbox.reset()
    assert endpoint.events() == []


def test_the_control_endpoint_lists_deliveries_without_urls(sandbox: Sandbox, endpoint: Endpoint) -> None:
    sandbox.change("partnerships", partner(sandbox), first_name="New")
    endpoint.events()
    [shown] = json.loads(sandbox.handle("GET", "/_control/deliveries", {}).body)
    assert shown == {
        "event": "partnership.updated",
        "webhook": shown["webhook"],
        "attempts": 1,
        "status": 200,
    }


@pytest.fixture
def receiver() -> Iterator[tuple[str, Event]]:
    """A URL on this machine, and an event that is set when something was posted to it."""
    received = Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            received.set()
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/hook/", received
        server.shutdown()
        thread.join()


def test_a_served_sandbox_delivers_by_itself(receiver: tuple[str, Event]) -> None:
    url, received = receiver
    sandbox = Sandbox(partnerships=1)
    sandbox.create("webhooks", target_url=url, events=EVENTS)
    with sandbox.serve():
        sandbox.change("partnerships", partner(sandbox), first_name="New")
        assert received.wait(10)
