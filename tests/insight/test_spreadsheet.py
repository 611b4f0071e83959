from __future__ import annotations

import csv
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone as django_timezone

from django_partnerstack.insight.spreadsheet import cell, lines


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\r=1", "\n=1", "\uff1d1", '=HYPERLINK("http://x")']
)
def test_a_text_that_begins_like_a_formula_is_only_a_text(text: str) -> None:
    assert cell(text) == f"'{text}"


@pytest.mark.parametrize("value", ["Ada", "a=b", "", -4900, Decimal("-49.00"), None, True])
def test_anything_else_stays_as_it_is(value: Any) -> None:
    assert cell(value) == value


def test_a_time_has_its_offset() -> None:
    with django_timezone.override("Asia/Tokyo"):
        assert cell(datetime(2026, 5, 31, 20, tzinfo=timezone.utc)) == "2026-06-01 05:00:00+09:00"


def test_a_reader_gets_back_what_was_written() -> None:
    rows = [["key", "name"], ["a,b", 'Ada "L"\nÄ']]
    assert list(csv.reader(lines(rows))) == rows
