"""``health``: the figures of a site, read by few and bounded queries."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from django_partnerstack import status
from django_partnerstack.connection import fingerprint_of_keys
from django_partnerstack.insight.status import read
from django_partnerstack.models import (
    Attempt,
    AttemptKind,
    AttemptOutcome,
    Attribution,
    ForgottenCustomer,
    OutboxLane,
    OutboxMessage,
    SourceFailure,
    State,
    SyncState,
    ThrottleState,
    Transaction,
    WebhookEvent,
    WebhookState,
    Worker,
)
from tests.admin.conftest import queue

pytestmark = pytest.mark.django_db

NOW = timezone.now()


def ago(**span: float) -> Any:
    return NOW - timedelta(**span)


def health() -> status.Health:
    return status.health(now=NOW)


def attempt(message: OutboxMessage, outcome: AttemptOutcome, **span: float) -> None:
    Attempt.objects.create(
        message=message, mode="test", kind=AttemptKind.SEND, number=1, started_at=ago(**span), outcome=outcome
    )


def test_a_new_site_is_healthy() -> None:
    found = health()
    assert (found.mode, found.severity, found.findings) == ("test", status.Severity.OK, ())
    assert set(found.queue.by_state.values()) == {0}
    assert found.connection.breaker == "closed"
    assert found.sign_ups.attributed_share is None


def test_messages_are_counted_by_the_word_of_their_state() -> None:
    for state in (State.FAILED, State.FAILED, State.ON_HOLD, State.QUEUED):
        queue(state)
    queue(State.FAILED, mode="production")
    by_state = health().queue.by_state
    assert {word: number for word, number in by_state.items() if number} == {
        "failed": 2,
        "on_hold": 1,
        "queued": 1,
    }
    assert set(by_state) == {state.name.lower() for state in State}
    assert health().queue.unsent == 1


def test_deliveries_and_failures_of_the_last_hour_and_day() -> None:
    for outcome, hours in (
        ("DELIVERED", 0.5),
        ("FOUND", 0.5),
        ("RETRY", 0.5),
        ("DELIVERED", 5),
        ("FOUND", 25),
    ):
        attempt(queue(), AttemptOutcome[outcome], hours=hours)
    for hours in (0.5, 5, 25):
        queue(State.FAILED, finished_at=ago(hours=hours))
    found = health().queue
    assert (found.delivered_last_hour, found.delivered_last_day) == (2, 3)
    assert (found.failed_last_hour, found.failed_last_day) == (1, 2)


def test_the_oldest_due_is_a_queued_message_or_a_due_lane() -> None:
    queue(State.QUEUED, queued_at=ago(hours=1))
    assert health().queue.oldest_due_at == ago(hours=1)
    OutboxLane.objects.create(mode="test", key="customer:b", due_at=ago(hours=2))
    OutboxLane.objects.create(mode="production", key="customer:c", due_at=ago(hours=3))
    assert health().queue.oldest_due_at == ago(hours=2)


def test_customers_that_payments_wait_for_are_counted_once() -> None:
    for lane in ("customer:a", "customer:a", "customer:b"):
        queue(State.WAITING, lane=lane)
    assert health().queue.unreported_customers == 2


def test_source_errors_are_counted() -> None:
    moments = {"first_failed_at": NOW, "last_failed_at": NOW}
    SourceFailure.objects.create(mode="test", source="shop.account", source_pk="1", **moments)
    SourceFailure.objects.create(mode="production", source="shop.account", source_pk="2", **moments)
    assert health().queue.source_errors == 1


def test_no_count_reads_more_rows_than_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read, "COUNTED", 2)
    for _ in range(3):
        attempt(queue(), AttemptOutcome.DELIVERED, minutes=1)
    assert health().queue.by_state["delivered"] == 2
    assert health().queue.delivered_last_day == 2


def test_the_connection_shows_a_breaker_that_is_open_half_open_or_closed() -> None:
    row = ThrottleState.objects.create(
        mode="test",
        paused_until=NOW + timedelta(seconds=20),
        pause_reason="12 of 15 requests failed within a minute.",
        half_open=True,
        minute_began_at=ago(seconds=30),
        requests=15,
    )
    found = health().connection
    assert (found.breaker, found.open_until, found.is_rate_limited) == ("open", row.paused_until, False)
    assert found.reason == row.pause_reason
    assert found.requests_last_minute == 15
    later = status.health(now=NOW + timedelta(seconds=60)).connection
    assert (later.breaker, later.open_until, later.requests_last_minute) == ("half-open", None, 0)


def test_rejected_keys_are_rejected_until_others_are_set(settings: Any) -> None:
    settings.PARTNERSTACK_PUBLIC_KEY = settings.PARTNERSTACK_SECRET_KEY = "wrong"
    ThrottleState.objects.create(
        mode="test",
        half_open=True,
        paused_until=NOW + timedelta(minutes=5),
        rejected_keys=fingerprint_of_keys(),
        failure="POST /customers: 401",
        failing_since=NOW,
        failed_at=NOW,
    )
    assert health().connection.keys_rejected
    settings.PARTNERSTACK_SECRET_KEY = "right"
    assert health().connection == status.Connection(has_keys=True, requests_per_minute=3600)


def test_each_sync_has_its_age_and_what_its_last_run_did() -> None:
    SyncState.objects.create(
        mode="test",
        resource="customers",
        completed_at=ago(minutes=3),
        duration=timedelta(seconds=2),
        read=10,
        changed=1,
        lease_expires_at=NOW + timedelta(minutes=1),
    )
    SyncState.objects.create(mode="test", resource="deals", failed_at=ago(minutes=1), error="GET /deals: 500")
    customers, deals = health().syncs
    assert (customers.age_seconds, customers.duration_seconds) == (180, 2)
    assert (customers.read, customers.changed, customers.is_running) == (10, 1, True)
    assert (deals.age_seconds, deals.error, deals.is_running) == (None, "GET /deals: 500", False)


def test_data_of_the_other_mode_are_seen() -> None:
    state = SyncState.objects.create(mode="test", resource="customers", production_seen_at=NOW)
    assert health().mode_seen == "production"
    SyncState.objects.filter(pk=state.pk).update(test_seen_at=NOW)
    assert health().mode_seen == ""


def test_keys_of_the_other_mode_are_noticed_although_the_right_ones_were_used_before() -> None:
    SyncState.objects.create(mode="test", resource="customers", test_seen_at=ago(hours=3))
    SyncState.objects.create(mode="test", resource="deals", production_seen_at=NOW)
    assert health().mode_seen == "production"
    SyncState.objects.create(mode="test", resource="leads", test_seen_at=NOW)
    assert health().mode_seen == ""


def test_workers_run_if_they_were_seen_and_have_not_stopped() -> None:
    Worker.objects.create(mode="test", started_at=ago(hours=2), seen_at=ago(seconds=30))
    Worker.objects.create(mode="test", started_at=ago(hours=5), seen_at=ago(hours=3))
    latest = Worker.objects.create(mode="test", started_at=ago(hours=5), seen_at=NOW, stopped_at=NOW)
    assert health().workers == status.Workers(running=1, running_since=ago(hours=2), seen_at=latest.seen_at)


def test_workers_sync_if_it_is_one_of_their_jobs() -> None:
    Worker.objects.create(mode="test", seen_at=NOW, jobs={"delivery": "waiting"})
    assert health().workers.sync_seen_at is None
    Worker.objects.create(mode="test", seen_at=ago(hours=1), jobs={"delivery": "waiting", "sync": "waiting"})
    assert health().workers.sync_seen_at == ago(hours=1)


def test_webhooks_show_the_last_one_and_what_waits_or_failed(settings: Any) -> None:
    settings.PARTNERSTACK_WEBHOOK_SECRETS = ["s" * 32]
    for number, state in enumerate((WebhookState.DONE, WebhookState.RECEIVED, WebhookState.FAILED)):
        moments = {
            "window": NOW,
            "first_received_at": ago(hours=number),
            "last_received_at": ago(hours=number),
        }
        WebhookEvent.objects.create(mode="test", digest=str(number), state=state, due_at=NOW, **moments)
    assert health().webhooks == status.Webhooks(
        is_configured=True, last_received_at=NOW, waiting_since=ago(hours=1), failed=1
    )


def test_an_erasure_that_did_not_end_in_an_hour_was_interrupted() -> None:
    queue()
    for hours, finished in ((0.5, None), (2, None), (3, NOW)):
        ForgottenCustomer.objects.create(
            mode="test", customer_key=str(hours), forgotten_at=ago(hours=hours), finished_at=finished
        )
    assert health().queue.interrupted_erasures == 1
    assert health().find("erasures-interrupted") is not None


def test_the_share_of_the_sign_ups_of_the_last_30_days_that_are_attributed() -> None:
    for number, (days, partner) in enumerate([(1, "ada"), (2, ""), (3, "ada"), (29, "ada"), (31, "")]):
        Attribution.objects.create(
            mode="test", customer_key=str(number), bound_at=ago(days=days), partner_key=partner
        )
    assert health().sign_ups == status.SignUps(attributed=3, organic=1)
    assert health().sign_ups.attributed_share == 0.75


def test_it_takes_at_most_eleven_queries(django_assert_num_queries: Any) -> None:
    queue()
    Transaction.objects.create(mode="test", key="t", customer_key="c", remote_created_at=NOW)
    # And a savepoint, so that a database without the tables breaks no request.
    with django_assert_num_queries(13):
        status.health()


def test_it_is_plain_data_too() -> None:
    queue(State.FAILED)
    SyncState.objects.create(mode="test", resource="deals", completed_at=ago(minutes=1))
    data = json.loads(json.dumps(health().as_dict()))
    assert data["severity"] == "warn"
    assert data["queue"]["by_state"]["failed"] == 1
    assert data["at"] == NOW.isoformat()
    assert data["syncs"][0]["age_seconds"] == 60
    assert data["sign_ups"]["attributed_share"] is None
    assert [finding["code"] for finding in data["findings"]] == ["messages-failed"]


@pytest.fixture
def without_a_table(transactional_db: None) -> Iterator[None]:
    editor = connection.schema_editor
    with editor() as schema:
        schema.alter_db_table(Worker, "partnerstack_worker", "hidden_worker")
    yield
    with editor() as schema:
        schema.alter_db_table(Worker, "hidden_worker", "partnerstack_worker")


def test_a_missing_table_is_a_finding_and_breaks_no_transaction(without_a_table: None) -> None:
    with transaction.atomic():
        found = health()
        assert [finding.code for finding in found.findings] == ["tables-missing"]
        assert found.has_figures is False
        assert "queue" not in found.as_dict()
        assert {name for name, _, samples in status.gauges() if samples} == {
            "partnerstack_severity",
            "partnerstack_finding",
        }
        assert not OutboxMessage.objects.exists()
