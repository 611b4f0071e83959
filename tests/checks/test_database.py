from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, models
from django.utils import timezone

from django_partnerstack.models import Attempt, AttemptOutcome, OutboxMessage, State, SyncState, Worker

from .run import KEYS, LIVE, ids, run


@pytest.mark.django_db
class TestModeOfData:
    def seen(self, mode: str, received: str, **ago: float) -> None:
        """A sync in ``mode`` received data of a mode."""
        state, _ = SyncState.objects.get_or_create(mode=mode, resource="customers")
        setattr(state, f"{received}_seen_at", timezone.now() - timedelta(**ago))
        state.save()

    @pytest.mark.parametrize(("declared", "received"), [("production", "test"), ("test", "production")])
    def test_keys_of_the_other_mode_are_found_by_their_data(self, declared: str, received: str) -> None:
        self.seen(declared, received)
        [warning] = run(databases=["default"], **{**KEYS, "PARTNERSTACK_MODE": declared})
        assert warning.id == "partnerstack.W004"
        assert f"is {declared}, but PartnerStack returns {received} data" in warning.msg

    @pytest.mark.parametrize("mode", ["production", "test"])
    def test_data_of_both_modes_prove_nothing(self, mode: str) -> None:
        self.seen(mode, "test")
        self.seen(mode, "production")
        assert ids(databases=["default"], **{**KEYS, "PARTNERSTACK_MODE": mode}) == []

    def test_keys_that_were_exchanged_are_found_by_the_newest_data(self) -> None:
        self.seen("test", "test", hours=3)
        self.seen("test", "production")
        assert ids(databases=["default"], **KEYS) == ["W004"]

    def test_rows_of_another_mode_prove_nothing_about_this_mode(self) -> None:
        self.seen("test", "test")
        assert ids(databases=["default"], **LIVE) == []

    def test_a_site_without_data_is_not_warned(self) -> None:
        assert ids(databases=["default"], **LIVE) == []

    @pytest.mark.parametrize("databases", [[], ["another"]])
    def test_the_database_is_only_queried_on_request(
        self, databases: list[str], django_assert_num_queries: Any
    ) -> None:
        with django_assert_num_queries(0):
            assert ids(databases=databases, **LIVE) == []

    def test_a_wrong_mode_in_the_settings_is_an_error_and_no_crash(self) -> None:
        self.seen("test", "production")
        assert ids(databases=["default"], **KEYS, PARTNERSTACK_MODE=["test"]) == ["E005"]


@pytest.mark.django_db
class TestWorker:
    def waiting(self, **ago: float) -> None:
        """A message has waited for some time."""
        OutboxMessage.objects.create(
            mode="test",
            state=State.QUEUED,
            operation="customers.create",
            payload={},
            queued_at=timezone.now() - timedelta(**ago),
        )

    def seen(self, **ago: float) -> None:
        Worker.objects.create(mode="test", seen_at=timezone.now() - timedelta(**ago))

    def test_messages_that_nobody_sends_are_found_with_when_a_worker_was_last_seen(self) -> None:
        self.waiting(hours=2)
        [warning] = run(databases=["default"], **KEYS)
        assert warning.id == "partnerstack.W020"
        assert warning.msg == "Messages have waited for more than an hour, and no worker runs."
        self.seen(hours=3)
        [warning] = run(databases=["default"], **KEYS)
        assert " The last was seen at 20" in warning.msg

    def test_a_site_whose_messages_are_sent_needs_no_worker(self) -> None:
        self.waiting(minutes=30)
        assert ids(databases=["default"], **KEYS) == []

    def test_a_site_that_sends_from_cron_and_is_behind_needs_no_worker(self) -> None:
        self.waiting(hours=2)
        Attempt.objects.create(
            mode="test",
            message=OutboxMessage.objects.get(),
            number=1,
            duration=1,
            outcome=AttemptOutcome.DELIVERED,
            started_at=timezone.now(),
        )
        assert ids(databases=["default"], **KEYS) == []

    def test_a_running_worker_has_other_reasons(self) -> None:
        self.waiting(hours=2)
        self.seen(seconds=5)
        assert ids(databases=["default"], **KEYS) == []

    def test_a_site_that_sends_nothing_needs_no_worker(self) -> None:
        self.waiting(hours=2)
        assert ids(databases=["default"], **KEYS, PARTNERSTACK_PUSH_ENABLED=False) == []

    def test_the_database_is_only_queried_on_request(self, django_assert_num_queries: Any) -> None:
        self.waiting(hours=2)
        with django_assert_num_queries(0):
            assert ids(**KEYS) == []


@pytest.mark.django_db(transaction=True)
def test_a_database_that_is_not_migrated_is_not_an_error() -> None:
    with connection.schema_editor() as editor:
        editor.alter_db_table(SyncState, "partnerstack_syncstate", "partnerstack_elsewhere")
    try:
        assert ids(databases=["default"], **LIVE) == ["W024"]
    finally:
        with connection.schema_editor() as editor:
            editor.alter_db_table(SyncState, "partnerstack_elsewhere", "partnerstack_syncstate")


class ShopRouter:
    """A router that writes the shop's models to a database of their own."""

    def db_for_write(self, model: type[models.Model], **hints: Any) -> str | None:
        return "shop" if model._meta.app_label == "shop" else None


def test_a_router_that_separates_messages_from_what_they_report_is_an_error_for_each_model() -> None:
    errors = run(**KEYS, DATABASE_ROUTERS=[f"{__name__}.ShopRouter"])
    assert [error.id for error in errors] == ["partnerstack.E022"] * 2
    assert [error.msg.split()[0] for error in errors] == ["shop.Account", "shop.Payment"]


@pytest.mark.django_db
class TestForeignCustomers:
    def failed(self, reason: str, **columns: Any) -> None:
        defaults = {"mode": "test", "operation": "customers.create", "state": "dead", "subject": "account-1"}
        OutboxMessage.objects.create(
            **{**defaults, **columns}, lane="", payload={}, reason=reason, queued_at=timezone.now()
        )

    def test_a_key_of_another_site_is_reported_with_the_prefix(self) -> None:
        self.failed("PartnerStack has account-1 with another email: o…@elsewhere.example.")
        [warning] = run(databases=["default"], **KEYS)
        assert warning.id == "partnerstack.W021"
        assert "such as account-1" in warning.msg
        assert "PARTNERSTACK_KEY_PREFIX" in warning.hint

    def test_other_failures_and_modes_are_not_reported(self) -> None:
        self.failed("PartnerStack has account-1 with another partner_key: 'a', not 'b'.")
        self.failed("PartnerStack has account-1 with another email: o…@e.example.", mode="production")
        self.failed("PartnerStack has account-1 with another email: o…@e.example.", state="cancelled")
        assert ids(databases=["default"], **KEYS) == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "mysql", reason="a setting of MySQL and MariaDB")
def test_a_table_that_is_not_utf8mb4_is_reported() -> None:
    assert ids(databases=["default"], **KEYS) == []
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE partnerstack_syncstate DEFAULT CHARACTER SET latin1")
        try:
            [warning] = run(databases=["default"], **KEYS)
        finally:
            cursor.execute("ALTER TABLE partnerstack_syncstate DEFAULT CHARACTER SET utf8mb4")
    assert warning.id == "partnerstack.W022"
    assert "table partnerstack_syncstate: latin1" in warning.msg


class ElsewhereRouter:
    """A router that writes everything to a database that the test does not use."""

    def db_for_write(self, model: type[models.Model], **hints: Any) -> str:
        return "elsewhere"


@pytest.mark.django_db
class TestOtherDatabases:
    def queue(self, **columns: Any) -> None:
        defaults = {"mode": "test", "operation": "customers.save", "state": State.QUEUED}
        OutboxMessage.objects.create(**{**defaults, **columns}, payload={}, queued_at=timezone.now())

    def test_messages_in_a_database_that_no_worker_reads_are_found(self) -> None:
        self.queue()
        router = f"{__name__}.ElsewhereRouter"
        [warning] = run(databases=["default"], **KEYS, DATABASE_ROUTERS=[router])
        assert warning.id == "partnerstack.W023"
        assert "'default' has messages that no worker sends" in warning.msg

    def test_messages_of_the_workers_database_and_of_another_mode_are_no_reason(self) -> None:
        self.queue()
        assert ids(databases=["default"], **KEYS) == []
        OutboxMessage.objects.all().delete()
        self.queue(mode="production")
        router = f"{__name__}.ElsewhereRouter"
        assert ids(databases=["default"], **KEYS, DATABASE_ROUTERS=[router]) == []


@pytest.mark.django_db(transaction=True)
def test_missing_tables_are_found_with_the_database() -> None:
    assert ids(databases=["default"], **LIVE) == []
    with connection.schema_editor() as schema:
        schema.alter_db_table(Worker, "partnerstack_worker", "hidden_worker")
    try:
        assert ids(**LIVE) == []
        assert ids(databases=["default"], **LIVE) == ["W024"]
    finally:
        with connection.schema_editor() as schema:
            schema.alter_db_table(Worker, "hidden_worker", "partnerstack_worker")
