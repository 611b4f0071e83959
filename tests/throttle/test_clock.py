"""The clock that all workers of the site share: the database's."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from django_partnerstack.throttle.clock import Clock
from django_partnerstack.throttle.throttle import Throttle


def test_the_clock_counts_from_the_time_that_it_was_set_to() -> None:
    clock, at = Clock(), timezone.now() + timedelta(days=1)
    clock.set(at)
    clock.sleep(0.01)
    assert timedelta(seconds=0.01) <= clock.now() - at < timedelta(seconds=10)


@pytest.mark.django_db
def test_locking_the_throttle_sets_the_clock_to_the_database_time() -> None:
    clock = Clock()
    clock.set(timezone.now() - timedelta(days=1))
    with Throttle("test", clock, requests_per_minute=60).locked() as row:
        assert abs(row.now - timezone.now()).total_seconds() < 10
    assert abs(clock.now() - timezone.now()).total_seconds() < 10


@pytest.mark.skipif("connection.vendor != 'mysql'", reason="Other databases return their time with its zone.")
def test_a_server_that_is_not_on_utc_returns_the_right_time(transactional_db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET time_zone = '+05:00'")
    try:
        with Throttle("test", Clock(), requests_per_minute=60).locked() as row:
            assert abs(row.now - timezone.now()).total_seconds() < 10
    finally:
        connection.close()
