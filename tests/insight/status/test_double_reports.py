"""Another integration that reports the same payments is a finding of the status."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from django_partnerstack import status
from django_partnerstack.insight.status.double_reports import double_reports
from tests.insight.reconciliation import books

pytestmark = pytest.mark.django_db


def found() -> status.Finding | None:
    return next((each for each in status.health().findings if each.code == "reported-twice"), None)


def test_a_payment_that_another_integration_reports_too_is_a_finding() -> None:
    books.write(10, each=0)
    assert found() is None
    books.plant(books.two_integrations)
    finding = found()
    assert finding is not None
    assert finding.sentence.startswith("1 payment seems to be reported twice")
    assert finding.link is not None
    assert finding.link.url() == "/admin/partnerstack/reconciliationrun/?mode=test"


def test_equal_payments_that_this_site_has_reported_are_no_double_reports() -> None:
    books.write(10, each=0)  # Customers of these books buy the same several times.
    assert double_reports("test") == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": 4901},
        {"currency": "EUR"},
        {"customer_key": "cus_2"},
        {"remote_created_at": books.LAST_WEEK + timedelta(days=2)},
        {"missing_since": books.NOW},
        {"archived": True},
        {"mode": "production"},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_another_payment_is_no_double_report(changes: dict[str, Any]) -> None:
    book = books.plant(books.pruned)
    foreign = book.there("ch_1")
    for name, value in changes.items():
        setattr(foreign, name, value)
    books.create([foreign])
    assert double_reports("test") == 0


def test_it_takes_two_queries(django_assert_num_queries: Callable[[int], Any]) -> None:
    books.write(600)
    with django_assert_num_queries(2):
        assert double_reports("test") > 0
