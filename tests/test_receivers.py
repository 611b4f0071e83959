"""Saving an object of the site never fails because of this app."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import call_command
from django.core.serializers import serialize
from django.db import DatabaseError, connection, transaction
from django.test import override_settings

from django_partnerstack import sources
from django_partnerstack.models import OutboxMessage
from tests.shop.models import Account, Payment


def new_account(**fields: Any) -> Account:
    return Account.objects.create(email="a@customers.example", partner_key="gstest", **fields)


@pytest.fixture
def no_table(transactional_db: None) -> Iterator[None]:
    """The site is not migrated yet."""
    with connection.schema_editor() as editor:
        editor.alter_db_table(OutboxMessage, OutboxMessage._meta.db_table, "elsewhere")
    yield
    with connection.schema_editor() as editor:
        editor.alter_db_table(OutboxMessage, "elsewhere", OutboxMessage._meta.db_table)


def test_a_save_succeeds_without_the_apps_tables(no_table: None, caplog: Any) -> None:
    with transaction.atomic():
        account = new_account()
        Payment.objects.create(account=account, total=Decimal(5))
    assert (Account.objects.count(), Payment.objects.count()) == (1, 1)
    assert f"shop.Account {account.pk} could not be queued" in caplog.text


def test_a_strict_site_gets_the_error(no_table: None) -> None:
    with override_settings(PARTNERSTACK_STRICT=True), pytest.raises(DatabaseError):
        new_account()


@pytest.fixture
def locked(transactional_db: None) -> Iterator[None]:
    """Another connection locks the outbox table, and the database does not wait long for locks."""
    with connection.cursor() as cursor:
        cursor.execute(
            {
                "sqlite": "PRAGMA busy_timeout = 100",
                "postgresql": "SET lock_timeout = '100ms'",
                "mysql": "SET lock_wait_timeout = 1",
            }[connection.vendor]
        )
    is_locked, done = threading.Event(), threading.Event()
    thread = threading.Thread(target=lock_table, args=(is_locked, done))
    thread.start()
    assert is_locked.wait(10)
    yield
    done.set()
    thread.join()
    connection.close()


def lock_table(is_locked: threading.Event, done: threading.Event) -> None:
    table = connection.ops.quote_name(OutboxMessage._meta.db_table)
    with connection.cursor() as cursor:
        if connection.vendor == "mysql":
            cursor.execute(f"LOCK TABLES {table} WRITE")
            is_locked.set()
            done.wait(20)
            cursor.execute("UNLOCK TABLES")
        else:
            with transaction.atomic():
                cursor.execute(f"LOCK TABLE {table}")
                is_locked.set()
                done.wait(20)
    connection.close()


@pytest.mark.skipif("connection.vendor == 'sqlite'", reason="SQLite locks the host's own tables too")
def test_a_save_succeeds_while_the_apps_table_is_locked(locked: None, caplog: Any) -> None:
    with transaction.atomic():
        new_account()
        new_account(name="another")
    assert Account.objects.count() == 2
    assert "could not be queued" in caplog.text


@pytest.mark.django_db
@override_settings(PARTNERSTACK_CUSTOMER_KEY="tests.shop.keys.missing")
def test_a_save_succeeds_with_a_wrong_setting(caplog: Any) -> None:
    account = new_account()
    assert f"shop.Account {account.pk} could not be queued" in caplog.text
    assert caplog.records[0].levelno == logging.ERROR


@pytest.mark.django_db
@override_settings(PARTNERSTACK_CUSTOMER_KEY="tests.shop.keys.from_a_missing_table")
def test_a_save_succeeds_when_a_query_of_the_site_fails(caplog: Any) -> None:
    with transaction.atomic():
        account = new_account()
        Account.objects.filter(pk=account.pk).update(name="Goes on")
    assert Account.objects.get().name == "Goes on"
    assert "could not be queued" in caplog.text


@pytest.mark.django_db
def test_a_save_succeeds_when_a_query_after_a_block_of_the_source_fails(
    monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    def source(account: Account) -> None:
        with transaction.atomic():
            Account.objects.count()
        with connection.cursor() as cursor:
            cursor.execute("SELECT * FROM a_missing_table")

    monkeypatch.setitem(sources.customers, Account, source)
    with transaction.atomic():
        account = new_account()
        Account.objects.filter(pk=account.pk).update(name="Goes on")
    assert Account.objects.get().name == "Goes on"
    assert "could not be queued" in caplog.text


@pytest.mark.django_db
@override_settings(PARTNERSTACK_STRICT=True)
def test_a_strict_site_gets_the_error_of_an_unusable_payment() -> None:
    account = new_account()
    with pytest.raises(ValueError, match="not a currency of ISO 4217"):
        Payment.objects.create(account=account, total=Decimal("49"), currency="ZZZ")


@pytest.mark.django_db
def test_a_fixture_is_not_reported(tmp_path: Any) -> None:
    fixture = tmp_path / "accounts.json"
    fixture.write_text(serialize("json", [Account(pk=1, email="a@customers.example")]))
    call_command("loaddata", fixture, verbosity=0)
    assert Account.objects.count() == 1
    assert not OutboxMessage.objects.exists()


@pytest.mark.django_db
def test_models_without_a_source_cost_no_query(
    django_user_model: Any, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(1):
        django_user_model.objects.create(username="ada")
