from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from django_partnerstack.models import Customer, WebhookEvent, WebhookState
from django_partnerstack.sandbox import Sandbox
from tests.webhooks.conftest import SAMPLES, SECRET, post

SITE = "https://www.example.com"


class Ran:
    """What the command printed, and the error that it ended with, if any."""

    def __init__(self, *arguments: str) -> None:
        out, err = StringIO(), StringIO()
        self.error = ""
        try:
            call_command("partnerstack_webhooks", *arguments, stdout=out, stderr=err)
        except CommandError as error:
            self.error = str(error)
        self.out, self.err = out.getvalue(), err.getvalue()
        assert SECRET not in self.out + self.err + self.error


@pytest.fixture(autouse=True)
def secrets(settings: Any) -> None:
    settings.PARTNERSTACK_WEBHOOK_SECRETS = [SECRET]


@pytest.fixture
def run(site: Sandbox) -> Callable[..., Ran]:
    return Ran


def test_register_prints_what_partnerstack_has(run: Callable[..., Ran], sandbox: Sandbox) -> None:
    done = run("register", SITE)
    [item] = sandbox.objects("webhooks")
    assert f"The endpoint {item['key']} was created." in done.out
    assert f"{item['key']}  {SITE}/partnerstack/webhooks/***/  (this site)" in done.out
    assert "partnership.updated" in done.out
    assert "is unchanged" in run("register", SITE).out
    assert "was updated" in run("register", SITE, "--events", "customer.created").out
    assert sandbox.objects("webhooks")[0]["events"] == ["customer.created"]


def test_list_and_remove(run: Callable[..., Ran], sandbox: Sandbox) -> None:
    assert run("list").out == "PartnerStack has no endpoints.\n"
    assert run("remove").out == "PartnerStack has no endpoint of this site.\n"
    run("register", SITE)
    assert run("list").out.count("(this site)") == 1
    assert run("remove").out.startswith("Removed webh_")
    assert not sandbox.objects("webhooks")


def test_an_error_of_partnerstack_is_one_line_without_the_secret(
    run: Callable[..., Ran], sandbox: Sandbox
) -> None:
    sandbox.faults.add("status", status=403, path="/api/v2/webhooks")
    assert "403" in run("register", SITE).error
    assert run("remove", "webh_x").error


def test_without_keys_the_command_says_so(db: None) -> None:
    assert "PARTNERSTACK_PUBLIC_KEY" in Ran("list").error


def test_trigger_stores_an_event_that_process_processes(run: Callable[..., Ran], sandbox: Sandbox) -> None:
    customer = sandbox.objects("customers")[0]
    done = run("trigger", "customer.updated", "--key", customer["key"])
    assert (
        done.out
        == f"Delivered customer.updated about {customer['key']}: HTTP 200. The worker processes it.\n"
    )
    assert run("process").out == "1 event processed.\n"
    assert Customer.objects.get().name == customer["name"]
    assert run("process").out == "0 events processed.\n"


@pytest.mark.parametrize("name", ["test", "partnership_updated", "agreement.accepted", "unheard.of"])
def test_trigger_delivers_any_event(run: Callable[..., Ran], name: str) -> None:
    assert "HTTP 200" in run("trigger", name).out
    assert WebhookEvent.objects.get().event_received == name


def test_trigger_posts_the_test_event_as_partnerstack_does(run: Callable[..., Ran]) -> None:
    assert "HTTP 200" in run("trigger", "test").out
    assert WebhookEvent.objects.get().body == SAMPLES["postback.test"]["body"]


def test_trigger_is_about_the_object_that_changed_last(run: Callable[..., Ran]) -> None:
    for days, key in ((3, "cus_old"), (1, "cus_new"), (2, "cus_older")):
        when = timezone.now() - timedelta(days=days)
        Customer.objects.create(mode="test", key=key, remote_updated_at=when)
    assert "cus_new" in run("trigger", "customer.updated").out


def test_trigger_posts_over_the_network(run: Callable[..., Ran], live_server: Any) -> None:
    assert "HTTP 200" in run("trigger", "customer.updated", "--url", live_server.url).out
    assert WebhookEvent.objects.count() == 1


def test_trigger_says_what_the_site_answered(run: Callable[..., Ran], settings: Any, free_port: int) -> None:
    assert "did not respond" in run("trigger", "test", "--url", f"http://127.0.0.1:{free_port}").error
    settings.MIDDLEWARE = ["tests.management.test_partnerstack_webhooks.wall"]
    assert "HTTP 403 instead of 200" in run("trigger", "test").error
    settings.PARTNERSTACK_WEBHOOK_SECRETS = []
    assert "PARTNERSTACK_WEBHOOK_SECRETS is empty" in run("trigger", "test").error


def wall(get_response: Any) -> Any:
    from django.http import HttpResponseForbidden

    return lambda request: HttpResponseForbidden()


def test_status_shows_what_was_received(run: Callable[..., Ran]) -> None:
    assert run("status").out == "Nothing was received in test mode.\n"
    post({"event": "customer.updated", "data": {"key": "cus_1"}})
    post({"event": "customer.updated", "data": {"key": "cus_1"}})
    post({"data": {"key": "cus_2"}})
    post(b"{")
    WebhookEvent.objects.filter(event="").update(state=WebhookState.FAILED)
    out = run("status").out
    assert re.search(r"Silent since 20.* UTC, for 0.minutes\.", out)
    assert "No partnerstack_worker runs.\n" in out
    assert re.search(r"customer.updated  1 received \(2 times\), last .*, 1 waiting\n", out)
    assert re.search(r"\(no name\) .* 1 received, last .*, 1 failed\n", out)
    assert "Refused with a correct secret, and not stored: 1 malformed." in out


@pytest.fixture
def ended(db: None) -> list[int]:
    """The ids of a done and a failed event."""
    for number in range(2):
        post({"event": "customer.updated", "data": {"key": f"cus_{number}"}})
    first, second = WebhookEvent.objects.order_by("pk")
    when = timezone.now() - timedelta(days=2)
    WebhookEvent.objects.filter(pk=first.pk).update(state="done", due_at=None, last_received_at=when)
    WebhookEvent.objects.filter(pk=second.pk).update(state="failed", due_at=None, attempts=15, reason="x")
    return [first.pk, second.pk]


def test_replay(run: Callable[..., Ran], ended: list[int]) -> None:
    def waiting() -> list[int]:
        rows = WebhookEvent.objects.filter(state="received", due_at__isnull=False, attempts=0, reason="")
        found = list(rows.order_by("pk").values_list("pk", flat=True))
        rows.update(state="failed", due_at=None, attempts=15)
        return found

    assert run("replay", str(ended[0])).out == "The worker processes 1 event again.\n"
    assert waiting() == ended[:1]
    assert run("replay", "--since", "36h").out == "The worker processes 1 event again.\n"
    assert waiting() == ended[1:]
    run("replay", "--failed")
    assert waiting() == ended
    assert "Give the ids" in run("replay").error
    assert "no event 999999" in run("replay", str(ended[0]), "999999").error
    assert waiting() == []
