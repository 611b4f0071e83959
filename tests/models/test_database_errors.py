"""An INSERT that a duplicate does not fail, and errors that end the site's transaction."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import DatabaseError, DataError, IntegrityError, OperationalError, connection, transaction

from django_partnerstack import sources
from django_partnerstack.models import ReportedKey
from django_partnerstack.models.bulk import insert_once
from django_partnerstack.models.database_errors import ends_transaction
from tests.shop.models import Account

pytestmark = pytest.mark.django_db


def key(name: str, **columns: Any) -> dict[str, Any]:
    row: dict[str, Any] = {field.name: field.get_default() for field in ReportedKey._meta.concrete_fields[1:]}
    return row | {"mode": "test", "dedupe_key": name, **columns}


def test_a_row_is_inserted_once() -> None:
    inserted = [insert_once(ReportedKey, key("a"), using="default") for _ in range(2)]
    assert (inserted, ReportedKey.objects.count()) == ([True, False], 1)


def test_a_duplicate_does_not_break_the_transaction() -> None:
    with transaction.atomic():
        for _ in range(2):
            insert_once(ReportedKey, key("a"), using="default")
        Account.objects.create(email="a@customers.example")
    assert Account.objects.count() == 1


WRONG = [{"dedupe_key": None}, {"currency": "x" * 400}]


@pytest.mark.parametrize("wrong", WRONG if connection.vendor != "sqlite" else WRONG[:1])
def test_another_error_is_not_taken_for_a_duplicate(wrong: dict[str, Any]) -> None:
    with pytest.raises((DataError, IntegrityError)), transaction.atomic():
        insert_once(ReportedKey, key("a") | wrong, using="default")


class Coded(Exception):
    """An error of a database driver."""

    def __init__(self, *args: Any, sqlstate: str | None = None) -> None:
        super().__init__(*args)
        self.sqlstate = sqlstate


def raised(cause: Exception) -> DatabaseError:
    error = OperationalError(*cause.args)
    error.__cause__ = cause
    return error


@pytest.mark.parametrize("state", ["40001", "40P01", "25P02", "57P01", "08006"])
def test_postgresqls_errors_that_end_a_transaction(state: str) -> None:
    assert ends_transaction(raised(Coded("…", sqlstate=state)))


def test_mysqls_errors_that_end_a_transaction() -> None:
    assert ends_transaction(raised(Coded(1213, "Deadlock found")))
    assert not ends_transaction(raised(Coded(1205, "Lock wait timeout exceeded")))


@pytest.mark.parametrize("state", ["42P01", "55P03", "23505"])
def test_other_errors_end_no_transaction(state: str) -> None:
    assert not ends_transaction(raised(Coded("…", sqlstate=state)))
    assert not ends_transaction(ValueError("…"))


@pytest.mark.django_db(transaction=True)
def test_outside_a_transaction_nothing_is_ended() -> None:
    assert not ends_transaction(raised(Coded(1213, "Deadlock found")))


def test_a_lost_savepoint_ends_the_transaction() -> None:
    with transaction.atomic():
        connection.needs_rollback = True
        assert ends_transaction(ValueError("…"))
        connection.needs_rollback = False


def test_an_error_that_ended_the_sites_transaction_is_raised_into_the_save(monkeypatch: Any) -> None:
    def source(account: Account) -> Any:
        raise raised(Coded(1213, "Deadlock found", sqlstate="40P01"))

    monkeypatch.setitem(sources.customers, Account, source)
    with pytest.raises(OperationalError, match="Deadlock found"), transaction.atomic():
        Account.objects.create(email="a@customers.example")
    assert not Account.objects.exists()
