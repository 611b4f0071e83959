"""``manage.py partnerstack_worker``."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from io import StringIO
from threading import Thread
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connections
from django.test import override_settings

from django_partnerstack.models import Customer, OutboxMessage, State, SyncState, Worker
from django_partnerstack.resources import RESOURCES
from django_partnerstack.sandbox import TEST_KEYS, Sandbox
from tests.dispatch.processes import until
from tests.exported import figures, set_up
from tests.outbox.site import account, payment

KEYS = {"PARTNERSTACK_PUBLIC_KEY": TEST_KEYS[0], "PARTNERSTACK_SECRET_KEY": TEST_KEYS[1]}


@pytest.fixture
def partnerstack(transactional_db: None) -> Iterator[Sandbox]:
    """A sandbox that the site's settings point to."""
    sandbox = Sandbox(customers=5)
    with (
        sandbox.serve() as server,
        override_settings(**KEYS, PARTNERSTACK_API_URL=f"{server.url}/api/v2", PARTNERSTACK_READ_TIMEOUT=2),
    ):
        yield sandbox


def work(
    is_done: Callable[[], object], *command: str, number: signal.Signals = signal.SIGTERM
) -> tuple[str, str]:
    """Run a worker until the condition is true, then send its process a signal. Returns what it printed."""
    out, err = StringIO(), StringIO()

    def watch() -> None:
        try:
            until(is_done, seconds=30, output=lambda: out.getvalue() + err.getvalue())
        finally:
            connections.close_all()
            os.kill(os.getpid(), number)

    watching = Thread(target=watch)
    watching.start()
    call_command(*command, stdout=out, stderr=err, no_color=True)
    watching.join()
    return out.getvalue(), err.getvalue()


def is_delivered() -> bool:
    return not OutboxMessage.objects.exclude(state=State.DELIVERED).exists()


def are_mirrors_fresh() -> bool:
    return SyncState.objects.exclude(completed_at=None).count() == len(RESOURCES)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_delivers_and_syncs_until_it_is_stopped(partnerstack: Sandbox, number: signal.Signals) -> None:
    payment(account())
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    printed = work(
        lambda: is_delivered() and are_mirrors_fresh() and Worker.objects.exists(),
        "partnerstack_worker",
        number=number,
    )
    assert printed == (
        "Running for PartnerStack (test): delivery, sync. Press Ctrl-C to stop.\nStopped.\n",
        "",
    )
    assert len(partnerstack.objects("transactions")) == 1
    assert Customer.objects.count() == 6
    assert Worker.objects.get().stopped_at is not None
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before


def test_it_exports_the_figures_of_the_status(partnerstack: Sandbox) -> None:
    set_up()
    account()
    work(is_delivered, "partnerstack_worker")
    assert figures()["messages"]["delivered"] == 1


def test_delivery_alone_is_a_loop_of_partnerstack_push(partnerstack: Sandbox) -> None:
    payment(account())
    work(lambda: is_delivered() and Worker.objects.exists(), "partnerstack_push", "--loop")
    assert not SyncState.objects.exclude(completed_at=None).exists()
    assert list(Worker.objects.get().jobs) == ["delivery"]


def test_without_sync_it_only_delivers(partnerstack: Sandbox) -> None:
    payment(account())
    with override_settings(PARTNERSTACK_SYNC_EVERY=0):
        out, _ = work(is_delivered, "partnerstack_worker")
    assert out.startswith("Running for PartnerStack (test): delivery. ")


def test_with_push_disabled_it_only_syncs(partnerstack: Sandbox) -> None:
    payment(account())
    with override_settings(PARTNERSTACK_PUSH_ENABLED=False):
        _, err = work(are_mirrors_fresh, "partnerstack_worker")
    assert not partnerstack.effects
    assert err == "PARTNERSTACK_PUSH_ENABLED is False: messages are queued, nothing is sent.\n"


@pytest.mark.parametrize("command", [("partnerstack_worker",), ("partnerstack_push", "--loop")])
def test_it_logs_why_nothing_is_delivered(
    partnerstack: Sandbox, command: tuple[str, ...], caplog: pytest.LogCaptureFixture
) -> None:
    account()
    partnerstack.faults.add("status", status=401, method="POST")
    work(lambda: "rejected your API keys" in caplog.text, *command)
    [paused] = [text for text in caplog.messages if "rejected your API keys" in text]
    assert paused.startswith("Delivery is paused until ")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "PARTNERSTACK_PUBLIC_KEY and PARTNERSTACK_SECRET_KEY are not set"),
        (
            {**KEYS, "PARTNERSTACK_PUSH_ENABLED": False, "PARTNERSTACK_SYNC_EVERY": 0},
            "There is nothing to do",
        ),
        ({**KEYS, "PARTNERSTACK_MODE": "live"}, "must be 'test' or 'production'"),
    ],
)
def test_it_says_in_one_line_what_is_wrong(settings: Any, words: str) -> None:
    with override_settings(**settings), pytest.raises(CommandError, match=words) as error:
        call_command("partnerstack_worker", stdout=StringIO(), stderr=StringIO())
    assert "\n" not in str(error.value)
