"""Spans of attempts, metrics, and fields of log records."""

from __future__ import annotations

import logging
import re
import subprocess
import sys
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan

from django_partnerstack import status, telemetry
from django_partnerstack.insight.status.prometheus import prometheus_text
from django_partnerstack.models import OutboxMessage, SyncState, Worker
from django_partnerstack.sandbox import TEST_KEYS
from django_partnerstack.sync import pull
from django_partnerstack.webhooks.receive import receive
from tests.exported import METRICS, SPANS, figures, set_up
from tests.outbox.site import Site, account, payment


@pytest.fixture(autouse=True)
def from_now_on() -> None:
    set_up()
    SPANS.clear()
    METRICS.get_metrics_data()


@pytest.fixture
def site(db: None) -> Site:
    return Site()


def spans() -> list[ReadableSpan]:
    return [span for span in SPANS.get_finished_spans() if span.name.startswith("partnerstack ")]


def test_the_span_of_an_attempt_links_to_the_trace_that_saved_the_object(site: Site) -> None:
    with trace.get_tracer("shop").start_as_current_span("POST /sign-up") as request:
        account()
    site.push()
    [span] = spans()
    [link] = span.links
    saved = request.get_span_context()
    assert (link.context.trace_id, link.context.span_id) == (saved.trace_id, saved.span_id)
    assert span.parent is None
    assert span.get_span_context().trace_id != saved.trace_id
    assert span.name == "partnerstack customers.create"
    assert dict(span.attributes or {}) == {
        "partnerstack.message": OutboxMessage.objects.get().pk,
        "partnerstack.operation": "customers.create",
        "partnerstack.subject": OutboxMessage.objects.get().subject,
        "partnerstack.mode": "test",
        "partnerstack.attempt": 1,
        "partnerstack.look_up": False,
        "partnerstack.state": "delivered",
    }


def test_a_span_of_the_request_itself_belongs_to_the_attempt(site: Site) -> None:
    account()
    inner: list[trace.SpanContext] = []
    send = site.adapter.send

    def traced(*args: Any, **options: Any) -> Any:
        with trace.get_tracer("requests").start_as_current_span("HTTP POST") as span:
            inner.append(span.parent)  # type: ignore[attr-defined]
            return send(*args, **options)

    site.adapter.send = traced  # type: ignore[method-assign]
    site.push()
    assert [each.span_id for each in inner] == [spans()[0].get_span_context().span_id]


def test_without_a_trace_there_is_no_link(site: Site) -> None:
    account()
    site.push()
    assert spans()[0].links == ()
    assert OutboxMessage.objects.get().traceparent is None


def test_a_trace_costs_no_query(site: Site) -> None:
    first = account()
    site.push()
    with CaptureQueriesContext(connection) as without:
        payment(first)
    with CaptureQueriesContext(connection) as traced, trace.get_tracer("shop").start_as_current_span("POST"):
        payment(first)
    assert len(traced) == len(without) > 0
    newest = OutboxMessage.objects.latest("pk")
    assert len(newest.traceparent or "") == 55


def test_a_failed_attempt_is_an_error_without_its_text(site: Site) -> None:
    account(email="ada@customers.example")
    site.fail("status", status=400)
    site.push()
    [span] = spans()
    assert span.status.status_code == trace.StatusCode.ERROR
    assert span.status.description is None
    assert not span.events
    assert "ada" not in span.to_json()


def test_attempts_are_counted_by_what_came_of_them(site: Site) -> None:
    shop = account()
    site.push()
    assert figures() == {"messages.delivered": {"customers.create": 1}}
    site.fail("status", status=425)
    payment(shop)
    site.push()
    assert figures() == {"messages.retried": {"transactions.create": 1}}
    site.fail("status", status=400)
    site.push_for(hours=1)
    assert figures() == {"messages.failed": {"transactions.create": 1}}
    site.fail("lost", times=1)
    payment(shop)
    site.push()
    assert figures() == {}
    site.push_for(minutes=1)
    assert figures() == {
        "messages.looked_up": {"transactions.create": 1},
        "messages.delivered": {"transactions.create": 1},
    }


def test_the_rows_of_a_sync_are_counted(site: Site) -> None:
    pull("groups", client=site.worker.client, mode="test")
    number = len(site.sandbox.objects("groups", "test"))
    assert figures() == {"sync.rows": {"groups created": number}}
    pull("groups", client=site.worker.client, mode="test", full=True)
    assert figures() == {"sync.rows": {"groups unchanged": number}}


def test_webhooks_are_counted(db: None) -> None:
    receive(b'{"event": "customer.created", "data": {"key": "cus_1"}, "test": true}', now=timezone.now())
    receive(b'{"event": "unheard.of", "test": true}', now=timezone.now())
    assert figures() == {"webhooks.received": {"customer": 1, "unknown": 1}}


def test_the_figures_of_the_status_are_gauges(site: Site, settings: Any) -> None:
    settings.PARTNERSTACK_PUBLIC_KEY, settings.PARTNERSTACK_SECRET_KEY = TEST_KEYS
    account()
    Worker.objects.create(mode="test")
    now = timezone.now()
    SyncState.objects.create(mode="test", resource="groups", completed_at=now)
    telemetry.observe(status.gauges)
    telemetry.observe(status.gauges)
    found = figures()
    assert found["messages"]["queued"] == 1
    assert found["messages"]["failed"] == 0
    assert found["workers_running"] == {"": 1}
    assert 0 <= found["sync_age_seconds"]["groups"] < 60
    assert found["oldest_due_timestamp_seconds"][""] <= timezone.now().timestamp()
    assert found["requests_last_minute"] == {"": 0}
    assert found["severity"] == {"": 0}


def test_the_gauges_are_those_of_prometheus(db: None) -> None:
    printed = set(re.findall(r"^# TYPE (\w+) gauge$", prometheus_text(status.health()), re.MULTILINE))
    telemetry.observe(status.gauges)
    assert printed <= {name for name, _, _ in status.gauges()}
    assert {name.removeprefix("partnerstack_") for name in printed} <= figures().keys()


def test_a_log_record_about_a_message_has_its_fields(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    shop = account(email="ada@customers.example")
    site.fail("status", status=400)
    site.push()
    [record] = [each for each in caplog.records if each.name.startswith("django_partnerstack.outbox")]
    message = OutboxMessage.objects.get()
    assert {name: value for name, value in vars(record).items() if name.startswith("partnerstack_")} == {
        "partnerstack_message": message.pk,
        "partnerstack_operation": "customers.create",
        "partnerstack_subject": message.subject,
        "partnerstack_mode": "test",
        "partnerstack_attempt": 1,
    }
    assert record.levelno == logging.ERROR
    # The template is the same for each message, so that Sentry groups them.
    assert record.msg == "Message %s is %s and needs attention. The admin shows the reason."
    assert shop.email not in record.getMessage()


def test_the_fields_clash_with_no_standard_field() -> None:
    standard = vars(logging.makeLogRecord({}))
    assert not standard.keys() & telemetry.fields(OutboxMessage()).keys()


WITHOUT = """
import sys
sys.modules["opentelemetry"] = None
import django
django.setup()
from django_partnerstack import status, telemetry
assert not telemetry.IS_AVAILABLE
assert telemetry.traceparent() is None
with telemetry.attempt(None) as ended:
    assert ended("outcome") == "outcome"
telemetry.count_synced("groups", "test", created=1)
telemetry.count_webhook("received", "customer", "test")
telemetry.observe(status.gauges)
"""


def test_without_opentelemetry_nothing_happens() -> None:
    subprocess.run([sys.executable, "-c", WITHOUT], check=True, timeout=60)
