"""A text primary key that the database compares without regard to case names one row, and so one customer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction

from django_partnerstack import track
from django_partnerstack.models import CustomerIdentity, OutboxMessage, SourceFailure
from django_partnerstack.outbox.backfill import backfill
from django_partnerstack.outbox.queue.source_failures import object_failed, object_reported

from .models import Badge, Ticket

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("reported")]

#: Ticket ignores case on all databases that have such a collation, Badge on MariaDB and MySQL.
IGNORING_CASE = [
    pytest.param(
        Ticket,
        marks=pytest.mark.skipif(
            connection.vendor == "postgresql", reason="PostgreSQL has no such collation by itself."
        ),
    ),
    pytest.param(Badge, marks=pytest.mark.skipif(connection.vendor != "mysql", reason="Compares case.")),
]


def with_blanks() -> bool:
    """Whether the database ignores blanks at the end of a text."""
    return connection.vendor == "mysql"


def spellings(model: Any) -> list[Any]:
    """The row of A-1, as a site may have it in memory."""
    found = [model.objects.get(pk="a-1"), model(pk="a-1"), model(pk="A-1")]
    return [*found, model(pk="A-1  ")] if with_blanks() and model is Badge else found


VERBS: dict[str, Callable[[Any], object]] = {
    "save": lambda row: row.save(),
    "sign up": lambda row: track.signup(row),
    "event": lambda row: track.event(row, "demo"),
    "purchase": lambda row: track.purchase(row, amount=100, currency="USD", key="inv_1"),
}


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("model", IGNORING_CASE)
def test_one_row_is_one_customer_however_its_key_is_spelt(model: Any, verb: str) -> None:
    model.objects.create(pk="A-1")
    key = f"identity-{model._meta.model_name}-A-1"
    for row in spellings(model):
        assert track.customer_key(row) == key
        VERBS[verb](row)
    assert [each.key for each in CustomerIdentity.objects.all()] == [key]
    assert {each.lane for each in OutboxMessage.objects.all()} == {f"customer:{key}"}


@pytest.mark.parametrize("model", IGNORING_CASE)
def test_a_row_that_was_never_reported_gets_the_key_that_the_database_has(model: Any) -> None:
    model.objects.bulk_create([model(pk="A-1")])
    track.event(model(pk="a-1"), "demo")
    assert CustomerIdentity.objects.get().object_pk == "A-1"
    assert backfill(model, mode="test", on_page=lambda result: None).failed == 0
    assert CustomerIdentity.objects.count() == 1


@pytest.mark.parametrize("model", IGNORING_CASE)
def test_a_failure_of_the_row_is_forgotten_however_its_key_is_spelt(model: Any) -> None:
    model.objects.bulk_create([model(pk="A-1")])
    for row in spellings(model):
        object_failed(row, LookupError("No profile."))
    assert SourceFailure.objects.get().source_pk == "A-1"
    object_reported(model(pk="a-1"))
    assert SourceFailure.objects.count() == 0


@pytest.mark.parametrize("model", IGNORING_CASE)
def test_a_backfill_reads_the_keys_of_a_page_at_once(model: Any, django_assert_max_num_queries: Any) -> None:
    model.objects.bulk_create([model(pk=f"A-{number}") for number in range(40)])
    with django_assert_max_num_queries(20):
        assert backfill(model, mode="test", on_page=lambda result: None).queued == 40


@pytest.mark.parametrize("model", IGNORING_CASE)
def test_an_insert_reads_nothing_more(model: Any, django_assert_max_num_queries: Any) -> None:
    with transaction.atomic(), django_assert_max_num_queries(8):
        model.objects.create(pk="A-1")


def test_keys_that_differ_in_case_stay_two_where_the_database_has_two_rows() -> None:
    if connection.vendor == "mysql":
        pytest.skip("They are one row.")
    for pk in ("A-1", "a-1"):
        Badge.objects.create(pk=pk)
    assert CustomerIdentity.objects.count() == 2
