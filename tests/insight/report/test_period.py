from __future__ import annotations

from datetime import date, datetime, timezone

import pytest
from django.utils import timezone as django_timezone

from django_partnerstack.insight.report.period import (
    Period,
    first_day,
    last_day,
    month_before,
    month_of,
    months,
    today,
)


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2026-05-17", date(2026, 5, 17), date(2026, 5, 17)),
        ("2026-02", date(2026, 2, 1), date(2026, 2, 28)),
        ("2026-12", date(2026, 12, 1), date(2026, 12, 31)),
    ],
)
def test_a_day_or_a_month_is_read(text: str, first: date, last: date) -> None:
    assert (first_day(text), last_day(text)) == (first, last)


@pytest.mark.parametrize("text", ["", "May", "2026", "2026-13", "2026-02-30", "0000-01", "2026-5"])
def test_any_other_text_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"write 2026-05-17"):
        first_day(text)


def test_a_period_ends_where_the_next_begins_also_when_the_clocks_change() -> None:
    with django_timezone.override("Europe/Berlin"):
        march, april = month_of(date(2026, 3, 1)), month_of(date(2026, 4, 1))
        assert march.end == april.start == datetime(2026, 3, 31, 22, tzinfo=timezone.utc)


def test_months_end_with_the_current() -> None:
    found = months(14)
    assert found[-1] == month_of(today())
    assert [month_before(after) for after in found[1:]] == found[:-1]


@pytest.mark.parametrize(
    ("period", "text"),
    [
        (Period(date(2026, 5, 1), date(2026, 5, 31)), "2026-05"),
        (Period(date(2026, 5, 2), date(2026, 5, 31)), "2026-05-02..2026-05-31"),
        (Period(date(2026, 5, 2)), "2026-05-02.."),
        (Period(), "all"),
    ],
)
def test_a_period_is_named(period: Period, text: str) -> None:
    assert str(period) == text
