from __future__ import annotations

import io
import json
import os
import re
import signal
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from django_partnerstack.models import Worker
from django_partnerstack.sandbox import PRODUCTION_KEYS, TEST_KEYS, Reply, Sandbox
from tests.insight.doctor.conftest import SECRET, register


class Stopping(Sandbox):
    """Calls a function when a transaction is created."""

    at_transaction: Callable[[], object] = staticmethod(lambda: None)

    def handle(self, method: str, target: str, *rest: Any) -> Reply:
        if method == "POST" and target.startswith("/api/v2/transactions"):
            self.at_transaction()
        return super().handle(method, target, *rest)


@pytest.fixture
def sandbox() -> Stopping:
    return Stopping(partnerships=3, customers=40, transactions=5)


class Ran:
    """What the command printed, and how it ended. It never prints a key."""

    def __init__(self, *arguments: str, **options: Any) -> None:
        out, err = io.StringIO(), io.StringIO()
        self.status, self.error = 0, ""
        try:
            call_command("partnerstack_doctor", *arguments, stdout=out, stderr=err, no_color=True, **options)
        except SystemExit as end:
            self.status = int(end.code or 0)
        except CommandError as error:
            self.status, self.error = error.returncode, str(error)
        self.out, self.err = out.getvalue(), err.getvalue()
        for key in (*TEST_KEYS, *PRODUCTION_KEYS, SECRET):
            assert key not in self.out + self.err + self.error


@pytest.fixture
def doctor(site: Sandbox) -> Callable[..., Ran]:
    Worker.objects.create(mode="test")
    return Ran


def test_each_thing_is_ticked(doctor: Callable[..., Ran]) -> None:
    ran = doctor()
    assert ran.status == 0
    assert "✓ Keys: pk_…0001 is accepted.\n" in ran.out
    assert "✓ Mode: test. Objects that show it: 30 test.\n" in ran.out
    assert "- Webhooks: Not used: PARTNERSTACK_WEBHOOK_SECRETS is empty.\n" in ran.out
    assert ran.out.endswith("No findings.\n")


def test_an_error_says_what_to_do_and_exits_with_status_1(doctor: Callable[..., Ran], settings: Any) -> None:
    settings.PARTNERSTACK_SECRET_KEY = PRODUCTION_KEYS[1]
    ran = doctor()
    assert ran.status == 1
    assert "✗ Keys: PartnerStack rejects your API keys: " in ran.out
    assert "    Copy the test key pair again from Settings > Integrations" in ran.out
    assert ran.out.endswith("Findings: 1.\n")


def test_a_warning_exits_with_status_0(doctor: Callable[..., Ran], sandbox: Sandbox) -> None:
    sandbox.behaviour.forbidden = ("deals",)
    ran = doctor()
    assert ran.status == 0
    assert "! Permissions: The keys have no permission to read deals. [resources-forbidden]\n" in ran.out


def test_json(doctor: Callable[..., Ran], sandbox: Sandbox) -> None:
    assert json.loads(doctor("--json").out)["severity"] == "ok"
    sandbox.behaviour.clock_offset = 3600
    ran = doctor("--json")
    report = json.loads(ran.out)
    assert (ran.status, report["mode"], report["severity"]) == (1, "test", "error")
    [clock] = [item for item in report["items"] if item["name"] == "Clock"]
    assert clock["state"] == "error"
    assert clock["findings"][0]["code"] == "clock-off"


def test_the_secret_of_the_webhooks_is_never_printed(
    doctor: Callable[..., Ran], sandbox: Sandbox, settings: Any, free_port: int
) -> None:
    settings.PARTNERSTACK_WEBHOOK_SECRETS = [SECRET]
    register(sandbox, f"http://127.0.0.1:{free_port}/partnerstack/webhooks/{SECRET}/")
    assert f"http://127.0.0.1:{free_port}/partnerstack/webhooks/***/" in doctor().out
    assert "webhooks-unreachable" in doctor("--json").out


def test_a_terminal_without_ticks_gets_words(doctor: Callable[..., Ran]) -> None:
    out = io.TextIOWrapper(io.BytesIO(), encoding="ascii", errors="replace")
    call_command("partnerstack_doctor", stdout=out, no_color=True)
    out.seek(0)
    assert "\nok Database: " in out.read()


def test_a_wrong_mode_is_one_line(doctor: Callable[..., Ran], settings: Any) -> None:
    settings.PARTNERSTACK_MODE = "Live"
    assert doctor().error == "PARTNERSTACK_MODE is 'Live'; it must be 'test' or 'production'."


def answer(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))


def test_the_rehearsal_asks_first(
    doctor: Callable[..., Ran], sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    for text, error in (("\n", "Nothing was done."), ("n\n", "Nothing was done."), ("", "Give --no-input")):
        answer(monkeypatch, text)
        assert error in doctor("--live").error
    assert not sandbox.effects
    answer(monkeypatch, "y\n")
    assert doctor("--live").status == 0
    assert sandbox.effects.total() == 4


def test_each_step_of_the_rehearsal_is_ticked_with_its_time(doctor: Callable[..., Ran]) -> None:
    ran = doctor("--live", "--no-input")
    assert ran.status == 0
    assert re.search(
        r"^✓ Rehearsal, create a test customer: doctor-\w+, of gstest. \(\d+\.\d s\)$", ran.out, re.M
    )
    assert ran.out.count("✓ Rehearsal, ") == 8
    assert ran.out.endswith("No findings.\n")


def test_the_rehearsal_as_json(doctor: Callable[..., Ran]) -> None:
    assert "--no-input" in doctor("--live", "--json").error
    report = json.loads(doctor("--live", "--json", "--no-input").out)
    steps = [item for item in report["items"] if item["name"].startswith("Rehearsal")]
    assert {item["state"] for item in steps} == {"ok"}
    assert all(item["seconds"] >= 0 for item in steps)


def test_the_rehearsal_refuses_production_mode(
    doctor: Callable[..., Ran], sandbox: Sandbox, settings: Any
) -> None:
    settings.PARTNERSTACK_MODE = "production"
    settings.PARTNERSTACK_PUBLIC_KEY, settings.PARTNERSTACK_SECRET_KEY = PRODUCTION_KEYS
    assert doctor("--live", "--no-input").error.startswith("--live works in test mode only")
    assert not sandbox.effects


def test_the_rehearsal_does_not_start_with_wrong_keys(
    doctor: Callable[..., Ran], sandbox: Sandbox, settings: Any
) -> None:
    for keys in ((TEST_KEYS[0], "sk_wrong"), ("", ""), (TEST_KEYS[0], "")):
        settings.PARTNERSTACK_PUBLIC_KEY, settings.PARTNERSTACK_SECRET_KEY = keys
        ran = doctor("--live", "--no-input")
        assert ran.status == 1
        assert "- Rehearsal: Not started: correct the errors above first.\n" in ran.out
    assert not sandbox.effects


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_rehearsal_removes_what_it_has_created(
    doctor: Callable[..., Ran], sandbox: Stopping, number: signal.Signals
) -> None:
    def stop() -> None:
        os.kill(os.getpid(), number)

    sandbox.at_transaction = stop
    ran = doctor("--live", "--no-input")
    assert (ran.status, ran.error) == (130, "Stopped.")
    assert "✓ Rehearsal, remove the test customer: Removed." in ran.out
    assert [row for row in sandbox.objects("customers", "test") if "doctor" in row["customer_key"]] == []
