"""Whether what PartnerStack shows is the effect of an attempt."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from django_partnerstack.outbox.agreement import Comparison

SINCE = datetime(2026, 6, 1, 12, tzinfo=timezone.utc)
MICROSECOND = timedelta(microseconds=1)


@pytest.mark.parametrize("created_at", [None, SINCE - MICROSECOND, SINCE, SINCE + MICROSECOND])
@pytest.mark.parametrize(
    "comparison", [Comparison(asked=2, compared=1), Comparison(asked=1, compared=1), Comparison()]
)
def test_what_has_the_same_fields_is_ours_whenever_it_was_created(
    comparison: Comparison, created_at: datetime | None
) -> None:
    assert comparison.proves(created_at, SINCE)
    assert not Comparison("another amount", comparison.asked, comparison.compared).proves(created_at, SINCE)


@pytest.mark.parametrize(
    ("created_at", "is_ours"),
    [(None, False), (SINCE - MICROSECOND, False), (SINCE, True), (SINCE + MICROSECOND, True)],
)
@pytest.mark.parametrize("asked", [1, 2])
def test_what_shows_none_of_the_fields_is_ours_if_it_was_created_since(
    asked: int, created_at: datetime | None, is_ours: bool
) -> None:
    assert Comparison(asked=asked).proves(created_at, SINCE) is is_ours
    assert not Comparison("another amount", asked).proves(created_at, SINCE)
