from __future__ import annotations

import argparse
from datetime import datetime, timedelta, timezone

import pytest
from django.test import override_settings
from django.utils.timezone import now

from django_partnerstack.management.arguments import positive_int, time_or_age


@pytest.mark.parametrize(("text", "age"), [("36h", timedelta(hours=36)), ("7d", timedelta(days=7))])
def test_an_age_counts_back_from_now(text: str, age: timedelta) -> None:
    before = now()
    assert before - age <= time_or_age(text) <= now() - age


@override_settings(TIME_ZONE="Europe/Berlin")
@pytest.mark.parametrize(
    "text", ["2026-01-31", "2026-01-31T00:00", "2026-01-30T23:00Z", "2026-01-31 00:00:00"]
)
def test_a_time_without_a_zone_is_in_the_time_zone_of_the_site(text: str) -> None:
    assert time_or_age(text) == datetime(2026, 1, 30, 23, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    "text", ["", "now", "7", "7w", "2026-02-30", "2026-01-31T25:00", "99999999d", "99999d"]
)
def test_other_text_than_a_time_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="is not a time"):
        time_or_age(text)


@pytest.mark.parametrize("text", ["0", "-3", "", "x", "1e3", "²"])
def test_other_text_than_a_positive_number_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="whole number above 0"):
        positive_int(text)


def test_a_positive_number_is_read() -> None:
    assert positive_int("8") == 8
