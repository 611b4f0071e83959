"""``manage.py partnerstack_status``."""

from __future__ import annotations

import json
import re
import socket
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings
from django.utils import timezone

from django_partnerstack.insight.status import prometheus
from django_partnerstack.models import (
    Attribution,
    OutboxLane,
    State,
    SyncState,
    ThrottleState,
    WebhookEvent,
    Worker,
)
from django_partnerstack.sandbox import TEST_KEYS
from django_partnerstack.status import Finding, Health, Queue, Severity, health
from tests.admin.conftest import queue

pytestmark = pytest.mark.django_db

#: A line of the text format of Prometheus that has a value.
SAMPLE = re.compile(r'([a-z_]+)\{((?:[a-z]+="(?:[^"\\\n]|\\["\\n])*",?)+)\} (-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)')


def status(*arguments: str) -> tuple[str, int]:
    """What the command printed, and its exit status."""
    out = StringIO()
    try:
        call_command("partnerstack_status", *arguments, stdout=out, no_color=True)
    except SystemExit as stopped:
        return out.getvalue(), int(stopped.code or 0)
    return out.getvalue(), 0


@pytest.fixture
def site(settings: Any) -> None:
    """A site that has been running for a while."""
    settings.PARTNERSTACK_PUBLIC_KEY, settings.PARTNERSTACK_SECRET_KEY = TEST_KEYS
    now = timezone.now()
    for _ in range(3):
        queue(State.DELIVERED, finished_at=now)
    SyncState.objects.create(mode="test", resource="customers", completed_at=now - timedelta(minutes=3))
    Worker.objects.create(mode="test", host=socket.gethostname(), pid=1)
    for number, partner_key in enumerate(["ada", "", "ada", "ada"]):
        Attribution.objects.create(
            mode="test", customer_key=str(number), partner_key=partner_key, bound_at=now
        )
    moments = dict.fromkeys(("window", "first_received_at", "last_received_at"), now - timedelta(hours=2))
    WebhookEvent.objects.create(mode="test", state="done", **moments)


def test_a_sync_of_seconds_ago_was_less_than_a_minute_ago(site: None) -> None:
    SyncState.objects.update(completed_at=timezone.now())
    assert "Last sync: less than a minute ago." in status()[0]


def test_a_healthy_site_is_described_in_four_lines(site: None) -> None:
    assert status() == (
        "PartnerStack (test): working.\n"
        "Messages: 3 delivered.\n"
        "1 worker runs. Last sync: 3 minutes ago. Last webhook: 2 hours ago.\n"
        "75 % of 4 sign-ups of the last 30 days are attributed to a partner.\n",
        0,
    )


def test_a_new_site_works_too() -> None:
    works = "PartnerStack (test): working.\nNo messages yet.\nNo worker was ever seen.\n"
    assert status() == (f"{works}No API keys are set yet.\n", 0)
    with override_settings(PARTNERSTACK_PUBLIC_KEY=TEST_KEYS[0], PARTNERSTACK_SECRET_KEY=TEST_KEYS[1]):
        assert status() == (works, 0)
        with override_settings(PARTNERSTACK_PUSH_ENABLED=False):
            assert status() == (f"{works}PARTNERSTACK_PUSH_ENABLED is False.\n", 0)


def test_what_is_in_the_way_of_messages_is_said_once() -> None:
    queue(State.QUEUED)
    out, code = status()
    assert (out.count("No API keys are set"), code) == (1, 1)


def test_a_finding_is_followed_by_what_to_do(site: None) -> None:
    queue(State.FAILED)
    out, code = status()
    assert code == 0
    assert out.startswith("PartnerStack (test): needs attention.\n")
    assert out.endswith(
        "\nWARN 1 message failed.\n"
        "    Read the reason in the admin, correct the cause, and retry or cancel the message.\n"
    )


def test_an_error_is_the_exit_status_for_monitors(site: None) -> None:
    OutboxLane.objects.create(mode="test", key="customer:a", due_at=timezone.now() - timedelta(hours=2))
    Worker.objects.update(stopped_at=timezone.now())
    out, code = status()
    assert code == 1
    assert out.startswith("PartnerStack (test): not working.\n")
    assert "\nERROR Messages have been due since " in out


@pytest.mark.parametrize(("fail_on", "code"), [("info", 1), ("warn", 1), ("error", 0)])
def test_a_monitor_chooses_from_which_severity_on_it_is_told(site: None, fail_on: str, code: int) -> None:
    queue(State.FAILED)
    assert status("--fail-on", fail_on)[1] == code


def test_it_is_json_for_programs(site: None) -> None:
    out, _ = status("--json")
    data = json.loads(out)
    assert (data["severity"], data["findings"]) == ("ok", [])
    assert data["queue"]["by_state"]["delivered"] == 3
    assert data["sign_ups"]["attributed_share"] == 0.75


def samples(text: str) -> dict[str, float]:
    """The samples of a text, each line of which must be valid."""
    found = {}
    described: set[str] = set()
    for line in text.splitlines():
        if line.startswith("# "):
            _, word, name, *_rest = line.split(" ", 3)
            assert word in ("HELP", "TYPE")
            described.add(f"{word} {name}")
            continue
        match = SAMPLE.fullmatch(line)
        assert match, line
        assert {f"HELP {match[1]}", f"TYPE {match[1]}"} <= described
        found[f"{match[1]}{{{match[2]}}}"] = float(match[3])
    return found


def test_it_prints_the_text_format_of_prometheus(site: None) -> None:
    queue(State.FAILED)
    ThrottleState.objects.create(mode="test", half_open=True)
    out, code = status("--prometheus")
    found = samples(out)
    assert code == 0
    assert found['partnerstack_messages{mode="test",state="delivered"}'] == 3
    assert found['partnerstack_finding{mode="test",code="messages-failed",severity="warn"}'] == 1
    assert found['partnerstack_severity{mode="test"}'] == 2
    assert found['partnerstack_breaker_open{mode="test"}'] == 0.5
    assert found['partnerstack_workers_running{mode="test"}'] == 1
    assert found['partnerstack_sign_ups{mode="test",attributed="true"}'] == 3
    assert 170 < found['partnerstack_sync_age_seconds{mode="test",resource="customers"}'] < 400
    assert 'partnerstack_sync_duration_seconds{mode="test",resource="customers"}' not in found


def test_labels_are_escaped_for_prometheus() -> None:
    finding = Finding('a"b\\c\nd', Severity.INFO, "", "")
    text = prometheus.prometheus_text(Health("test", timezone.now(), findings=(finding,)))
    assert 'code="a\\"b\\\\c\\nd"' in text
    assert samples(text)['partnerstack_severity{mode="test"}'] == 1


def test_prometheus_gets_the_figures_whatever_is_found_unless_a_monitor_asks(site: None) -> None:
    SyncState.objects.update(production_seen_at=timezone.now())
    assert status("--prometheus")[1] == 0
    assert status("--prometheus", "--fail-on", "error")[1] == 1


class TestWorker:
    def test_runs_on_this_host(self, site: None) -> None:
        assert status("--worker") == (f"1 worker runs on {socket.gethostname()}.\n", 0)

    def test_of_another_host_counts_only_if_asked(self, site: None) -> None:
        Worker.objects.update(host="another")
        with pytest.raises(CommandError, match=f"No worker runs on {socket.gethostname()}"):
            status("--worker")
        assert status("--worker", "--any") == ("1 worker runs.\n", 0)

    def test_that_was_not_seen_for_a_while_is_dead(self, site: None) -> None:
        Worker.objects.update(seen_at=timezone.now() - timedelta(minutes=2))
        with pytest.raises(CommandError, match=r"No worker runs on .+\. The last was seen at 20"):
            status("--worker")

    def test_is_alive_although_a_message_failed(self, site: None) -> None:
        queue(State.FAILED)
        assert status("--worker")[1] == 0

    def test_takes_one_option_more(self) -> None:
        with pytest.raises(CommandError, match="--any belongs to --worker"):
            status("--any")


def test_a_mode_that_does_not_exist_is_named(settings: Any) -> None:
    settings.PARTNERSTACK_MODE = "Live"
    with pytest.raises(CommandError, match="must be 'test' or 'production'"):
        status()


def test_no_output_contains_a_key(site: None, settings: Any) -> None:
    ThrottleState.objects.create(
        mode="test", half_open=True, failure=f"refused {TEST_KEYS[1]}", rejected_keys=""
    )
    for option in ("--json", "--prometheus", "--fail-on=info"):
        out, _ = status(option)
        assert not any(key in out for key in TEST_KEYS)
    assert health().connection.failure == "refused ***"
    assert Queue().unsent == 0
