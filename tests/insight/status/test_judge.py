"""Which findings the figures of a site mean: one for each cause, and none for a healthy site."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from django_partnerstack.insight.status import judge
from django_partnerstack.status import Connection, Health, Queue, Severity, Sync, Webhooks, Workers

NOW = timezone.now()
WORKER = Workers(running=1, running_since=NOW - timedelta(days=9), seen_at=NOW, sync_seen_at=NOW)
STOPPED = Workers(seen_at=NOW - timedelta(hours=2), sync_seen_at=NOW - timedelta(hours=2))
CRON = Workers()


def ago(**span: float) -> Any:
    return NOW - timedelta(**span)


def sync(resource: str = "customers", **columns: Any) -> Sync:
    return Sync(resource, **{"completed_at": ago(minutes=5), **columns})


#: A site that delivers and syncs.
HEALTHY = Health(
    mode="test",
    at=NOW,
    queue=Queue(by_state={"delivered": 100, "organic": 20}, delivered_last_hour=10),
    connection=Connection(has_keys=True, requests_per_minute=3600),
    syncs=(sync(), sync("deals")),
    workers=WORKER,
    webhooks=Webhooks(is_configured=True, last_received_at=ago(minutes=10)),
)


def codes(**figures: Any) -> list[str]:
    """The findings of the healthy site with other figures."""
    return [finding.code for finding in judge.findings(replace(HEALTHY, **figures))]


def queue(**figures: Any) -> Queue:
    return replace(HEALTHY.queue, **figures)


def connection(**figures: Any) -> Connection:
    return replace(HEALTHY.connection, **figures)


def test_a_healthy_site_has_no_finding() -> None:
    assert codes() == []


class TestWhatIsDueAndStays:
    LEFT = queue(oldest_due_at=ago(hours=2), delivered_last_hour=0)

    def test_needs_a_worker_if_none_runs(self) -> None:
        assert codes(queue=self.LEFT, workers=STOPPED) == ["no-worker"]
        assert codes(queue=self.LEFT, workers=CRON) == ["no-worker"]

    def test_needs_another_look_if_one_runs(self) -> None:
        assert codes(queue=self.LEFT) == ["delivery-stuck"]

    def test_only_waits_for_the_rate_limit_if_others_are_delivered(self) -> None:
        assert codes(queue=replace(self.LEFT, delivered_last_hour=5000)) == ["queue-behind"]

    def test_is_the_normal_course_for_an_hour(self) -> None:
        assert codes(queue=queue(oldest_due_at=ago(minutes=59)), workers=CRON) == []

    def test_explains_why_the_mirrors_are_old(self) -> None:
        old = (sync(completed_at=ago(hours=30)), sync("deals", completed_at=ago(hours=30)))
        for workers in (STOPPED, CRON):
            assert codes(queue=self.LEFT, workers=workers, syncs=old) == ["no-worker"]
        assert codes(queue=self.LEFT, syncs=old) == ["delivery-stuck"]
        assert codes(queue=replace(self.LEFT, delivered_last_hour=9), syncs=old) == [
            "sync-stale",
            "queue-behind",
        ]

    def test_does_not_explain_why_a_sync_fails(self) -> None:
        failing = (sync(error="GET /deals: 403", failed_at=NOW, completed_at=ago(hours=30)),)
        assert codes(queue=self.LEFT, workers=STOPPED, syncs=failing) == ["no-worker", "sync-failing"]

    def test_is_explained_by_what_is_in_the_way(self) -> None:
        assert codes(queue=self.LEFT, workers=STOPPED, connection=connection(keys_rejected=True)) == [
            "keys-rejected"
        ]


class TestWhatIsInTheWay:
    UNSENT = queue(by_state={"queued": 3})

    @pytest.mark.parametrize(
        ("figures", "code"),
        [({"has_keys": False}, "keys-missing"), ({"push_enabled": False}, "delivery-disabled")],
    )
    def test_settings_matter_once_a_message_waits(self, figures: Any, code: str) -> None:
        assert codes(connection=connection(**figures)) == []
        assert codes(connection=connection(**figures), queue=self.UNSENT) == [code]

    def test_an_outage_matters_after_a_minute(self) -> None:
        failing = connection(failing_since=ago(seconds=30), failed_at=NOW, failure="no connection")
        assert codes(connection=failing) == []
        assert codes(connection=replace(failing, failing_since=ago(minutes=5))) == ["requests-failing"]

    def test_an_outage_is_not_believed_if_nothing_was_sent_for_hours(self) -> None:
        failing = connection(failing_since=ago(hours=5), failed_at=ago(hours=3), failure="no connection")
        assert codes(connection=failing) == []

    def test_an_open_breaker_matters_at_once(self) -> None:
        pause = connection(breaker="open", open_until=NOW + timedelta(seconds=20), reason="8 of 10 failed.")
        assert codes(connection=pause) == ["delivery-paused"]

    @pytest.mark.parametrize("breaker", ["open", "half-open"])
    def test_an_outage_that_opened_the_breaker_matters_at_once(self, breaker: str) -> None:
        outage = connection(
            breaker=breaker,
            open_until=NOW + timedelta(seconds=20) if breaker == "open" else None,
            failing_since=ago(seconds=10),
            failed_at=NOW,
            failure="POST /transactions: 503",
        )
        assert codes(connection=outage) == ["requests-failing"]
        limited = replace(outage, is_rate_limited=True)
        assert codes(connection=limited) == []

    def test_a_pause_for_the_rate_limit_matters_if_it_is_long(self) -> None:
        pause = connection(breaker="open", open_until=NOW + timedelta(seconds=5), is_rate_limited=True)
        assert codes(connection=pause) == []
        assert codes(connection=replace(pause, open_until=NOW + timedelta(minutes=5))) == ["delivery-paused"]

    def test_the_reason_is_the_end_of_the_sentence(self) -> None:
        failing = connection(keys_rejected=True, failure="POST /customers:\n 401 Unauthorized.")
        [found] = judge.findings(replace(HEALTHY, connection=failing))
        assert found.sentence == "PartnerStack rejects your API keys: POST /customers: 401 Unauthorized."

    def test_failing_and_old_syncs_are_its_consequence(self) -> None:
        old = (sync(completed_at=ago(days=3), error="GET /customers: 401", failed_at=NOW),)
        assert codes(connection=connection(keys_rejected=True), syncs=old) == ["keys-rejected"]


class TestSyncs:
    def test_of_a_worker_are_old_after_an_hour(self) -> None:
        assert codes(syncs=(sync(completed_at=ago(minutes=59)), sync("deals"))) == []
        assert codes(syncs=(sync(completed_at=ago(minutes=61)), sync("deals"))) == ["sync-stale"]

    def test_of_a_worker_with_a_long_period_are_old_after_three_periods(self, settings: Any) -> None:
        settings.PARTNERSTACK_SYNC_EVERY = 3600
        assert codes(syncs=(sync(completed_at=ago(hours=2.9)),)) == []
        assert codes(syncs=(sync(completed_at=ago(hours=3.1)),)) == ["sync-stale"]

    def test_may_wait_for_a_long_sync_of_another_resource(self) -> None:
        long = sync("transactions", is_running=True, completed_at=ago(hours=5))
        assert codes(syncs=(sync(completed_at=ago(hours=5)), long)) == []

    def test_of_a_stopped_worker_are_old_after_an_hour(self) -> None:
        assert codes(workers=STOPPED, syncs=(sync(completed_at=ago(hours=2)),)) == ["sync-stale"]

    def test_that_are_old_are_named_unless_all_are(self) -> None:
        old = sync("deals", completed_at=ago(hours=2))
        assert self.sentence(sync(), old).startswith("The last sync of deals was completed at ")
        leads = replace(old, resource="leads")
        assert self.sentence(leads, old).startswith("The last sync of all resources was completed at ")

    def sentence(self, *syncs: Sync) -> str:
        [found] = judge.findings(replace(HEALTHY, syncs=syncs))
        return found.sentence

    def test_of_a_site_without_a_worker_may_be_a_day_old(self) -> None:
        assert codes(workers=CRON, syncs=(sync(completed_at=ago(hours=25)),)) == []
        assert codes(workers=CRON, syncs=(sync(completed_at=ago(hours=27)),)) == ["sync-stale"]

    def test_of_a_site_whose_worker_only_delivers_may_be_a_day_old(self) -> None:
        delivers = replace(WORKER, sync_seen_at=None)
        assert codes(workers=delivers, syncs=(sync(completed_at=ago(hours=25)),)) == []
        assert codes(workers=delivers, syncs=(sync(completed_at=ago(hours=27)),)) == ["sync-stale"]

    def test_of_a_site_without_a_worker_may_leave_resources_out(self) -> None:
        assert codes(workers=CRON, syncs=(sync(), sync("deals", completed_at=ago(days=90)))) == []

    def test_are_never_old_if_the_site_turned_them_off(self, settings: Any) -> None:
        settings.PARTNERSTACK_SYNC_EVERY = 0
        assert codes(syncs=(sync(completed_at=ago(days=90)),)) == []

    def test_that_fail_once_are_retried(self) -> None:
        assert codes(syncs=(sync(error="GET /customers: 500", failed_at=NOW),)) == []

    def test_that_fail_for_longer_are_named_with_the_reason(self) -> None:
        failing = sync(error="GET /customers: 500", failed_at=NOW, completed_at=ago(hours=3))
        health = replace(HEALTHY, syncs=(failing, sync("deals")))
        [found] = judge.findings(health)
        assert found.sentence == "The sync of customers fails: GET /customers: 500."

    def test_that_never_succeeded_are_named_at_once(self) -> None:
        assert codes(syncs=(sync(error="GET /deals: 403", failed_at=NOW, completed_at=None),)) == [
            "sync-failing"
        ]

    def test_that_never_ran_are_worth_knowing_once_messages_are_delivered(self) -> None:
        assert codes(syncs=()) == ["never-synced"]
        assert codes(syncs=(), queue=Queue()) == []

    def test_with_a_setting_that_cannot_be_used_are_not_judged(self, settings: Any) -> None:
        settings.PARTNERSTACK_SYNC_EVERY = "often"
        assert codes(syncs=(sync(completed_at=ago(days=90)),)) == []


class TestWebhooks:
    def test_that_failed_are_counted(self) -> None:
        assert codes(webhooks=replace(HEALTHY.webhooks, failed=2)) == ["webhook-events-failed"]

    def test_that_wait_need_a_worker_which_is_one_finding(self) -> None:
        waiting = replace(HEALTHY.webhooks, waiting_since=ago(hours=2))
        assert codes(webhooks=waiting) == ["webhook-events-waiting"]
        left = queue(oldest_due_at=ago(hours=2))
        assert codes(webhooks=waiting, queue=left, workers=STOPPED) == ["no-worker"]

    def test_that_stopped_a_week_ago_are_missed_if_objects_changed_since(self) -> None:
        silent = replace(HEALTHY.webhooks, last_received_at=ago(days=9))
        changed = (sync(newest_change_at=ago(days=1)),)
        assert codes(webhooks=silent, syncs=changed) == ["webhooks-silent"]
        assert codes(webhooks=silent, syncs=(sync(newest_change_at=ago(days=5)),)) == []

    def test_that_never_came_are_missed_if_an_object_changed_since_the_worker_runs(self) -> None:
        never = Webhooks(is_configured=True)
        assert codes(webhooks=never, syncs=(sync(newest_change_at=ago(days=1)),)) == ["webhooks-silent"]
        assert codes(webhooks=never, syncs=(sync(newest_change_at=ago(days=30)),)) == []
        assert codes(webhooks=never, syncs=(sync(newest_change_at=ago(minutes=5)),)) == ["webhooks-silent"]

    def test_may_be_on_their_way_on_the_first_day(self) -> None:
        never, new = Webhooks(is_configured=True), replace(WORKER, running_since=ago(hours=3))
        assert codes(webhooks=never, workers=new, syncs=(sync(newest_change_at=ago(minutes=5)),)) == []
        late = (sync(newest_change_at=ago(hours=2)),)
        assert codes(webhooks=never, workers=new, syncs=late) == ["webhooks-silent"]

    def test_are_not_missed_without_a_secret(self) -> None:
        assert codes(webhooks=Webhooks(), syncs=(sync(newest_change_at=ago(days=1)),)) == []


def test_what_needs_attention_is_counted() -> None:
    figures = queue(
        by_state={"failed": 2, "on_hold": 1, "delivered": 1}, unreported_customers=1, source_errors=3
    )
    found = judge.findings(replace(HEALTHY, queue=figures))
    assert [each.sentence for each in found] == [
        "2 messages failed.",
        "1 message is on hold.",
        "1 customer was never reported, so its payments wait.",
        "3 objects could not be reported: their sources failed, or their data cannot be used.",
    ]
    assert {each.severity for each in found} == {Severity.WARN}


def test_the_most_urgent_finding_comes_first() -> None:
    figures = queue(by_state={"failed": 1, "delivered": 1})
    assert codes(queue=figures, mode_seen="production") == ["mode-mismatch", "messages-failed"]
    assert (
        replace(HEALTHY, findings=judge.findings(replace(HEALTHY, queue=figures))).severity == Severity.WARN
    )
