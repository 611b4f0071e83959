from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from django_partnerstack.insight import overview
from django_partnerstack.insight.overview import Funnel
from django_partnerstack.insight.report import report
from django_partnerstack.insight.report.period import months
from django_partnerstack.models import Attempt, AttemptKind, AttemptOutcome
from tests.admin.conftest import queue

from .report.conftest import customer, partner, payment, sign_up

pytestmark = pytest.mark.django_db


def ago(**span: Any) -> Any:
    return timezone.now() - timedelta(**span)


class TestSignUps:
    def test_are_counted_by_day_attributed_and_organic(self) -> None:
        sign_up(1, partner="ada", bound_at=timezone.now())
        sign_up(2, click_id="x", bound_at=timezone.now())
        sign_up(3, bound_at=timezone.now())
        sign_up(4, bound_at=ago(days=29))
        sign_up(5, bound_at=ago(days=31))
        found = overview.sign_ups("test")
        assert len(found) == 30
        assert (found[-1].first, found[-1].second) == (2, 1)
        assert (found[0].first, found[0].second) == (0, 1)
        assert sum(each.second for each in found) == 2

    @pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "America/Anchorage"])
    def test_are_by_the_days_of_the_current_time_zone(self, zone: str) -> None:
        with timezone.override(zone):
            midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
            sign_up(1, bound_at=midnight)
            sign_up(2, bound_at=midnight - timedelta(seconds=1))
            assert [each.second for each in overview.sign_ups("test")[-2:]] == [1, 1]


def test_deliveries_and_failures_are_counted_by_hour() -> None:
    message = queue()
    for outcome, when in (("delivered", 0), ("found", 0), ("failed", 3), ("retry", 0), ("delivered", 25)):
        Attempt.objects.create(
            message=message,
            mode="test",
            kind=AttemptKind.SEND,
            number=1,
            started_at=ago(hours=when),
            outcome=AttemptOutcome(outcome),
        )
    found = overview.deliveries("test")
    assert (len(found), found[-1].first, found[-4].second) == (24, 2, 1)
    assert sum(each.first + each.second for each in found) == 3


def test_revenue_by_month_is_that_of_the_report() -> None:
    now = timezone.now()
    customer(1, "ada")
    for number, period in enumerate(months(6)):
        payment(f"p{number}", 1, 100 * (number + 1), remote_created_at=period.start, archived=number == 2)
    payment("p2~r1", 1, 77, remote_created_at=now)
    payment("old", 1, 50, remote_created_at=ago(days=400), archived=True)
    payment("old~r1", 1, 40, remote_created_at=now)
    payment("yen", 1, 5, currency="JPY", remote_created_at=now)
    found = overview.revenue("test")
    assert found == {"USD": [100, 200, 77, 400, 500, 600], "JPY": [0, 0, 0, 0, 0, 5]}
    totals = [report("test", period).total.revenue.get("USD", 0) for period in months(6)]
    assert found["USD"] == totals


def test_the_funnel_follows_the_attributed_sign_ups() -> None:
    day = f"{ago(days=2):%Y-%m-%d}"
    for number in range(3):
        sign_up(number, day, "ada", bound_at=ago(days=1))
        customer(number, "ada")
    sign_up(9, bound_at=ago(days=1))
    customer(9, "")
    for number in (0, 9):
        payment(f"p{number}", number, 100)
    payment("refunded", 1, 100, archived=True)
    assert overview.funnel("test", 3) == Funnel(clicks=3, sign_ups=3, paying=1)


def test_the_top_partners_have_the_most_revenue() -> None:
    for number, name in enumerate(["ada", "bob", "cy"]):
        partner(name)
        customer(number, name, remote_created_at=timezone.now())
        payment(f"p{number}", number, [5, 900, 40][number], remote_created_at=timezone.now())
    found = overview.top_partners("test", ["customer", "transaction"])
    assert [str(row) for row, _figures in found.rows] == ["bob", "cy", "ada"]
    without = overview.top_partners("test", ["customer"])
    assert {str(row): figures.sign_ups for row, figures in without.rows} == {"ada": 1, "bob": 1, "cy": 1}
    assert without.currencies == []
