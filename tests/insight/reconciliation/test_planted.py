"""Planted differences are found, and none is invented. ``tests.benchmarks.reconcile`` does it at length."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from django_partnerstack.insight.reconciliation.kinds import KINDS
from django_partnerstack.insight.reconciliation.run import reconcile

from . import books

pytestmark = pytest.mark.django_db


def test_all_planted_differences_are_found_and_none_is_invented() -> None:
    expected = books.write(600)
    assert expected.keys() == KINDS.keys()
    assert books.found(reconcile(mode="test")) == expected


def test_books_without_differences_agree() -> None:
    books.write(60, each=0)
    result = reconcile(mode="test")
    assert books.found(result) == {}
    assert result.tally.same == {"payments": {"agrees": 60}, "customers": {"agrees": 12}}


def test_the_number_of_queries_does_not_depend_on_what_differs() -> None:
    books.write(600, each=2)
    with CaptureQueriesContext(connection) as captured:
        reconcile(mode="test")
    assert len(captured) < 45
    assert not [each["sql"] for each in captured if not each["sql"].startswith("SELECT")]
