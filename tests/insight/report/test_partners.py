from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from django_partnerstack import track
from django_partnerstack.insight.report import Figures, Period, find_partner, report
from django_partnerstack.insight.report.period import months
from django_partnerstack.models import Group, Reward, Transaction
from django_partnerstack.outbox.push import worker
from django_partnerstack.sandbox import Sandbox
from tests.shop.models import Account, Payment

from .conftest import MAY, at, customer, in_month, partner, payment, reward, sign_up

Of = Callable[..., Figures]


class TestClicks:
    def test_are_those_that_a_sign_up_brought(self, of: Of) -> None:
        earlier = [
            {"partner_key": "ada", "at": at("2026-05-02").isoformat()},
            {"partner_key": "bob", "at": at("2026-05-01").isoformat()},
            {"partner_key": "ada", "at": at("2026-04-30").isoformat()},
            {"partner_key": "", "click_id": "x", "at": at("2026-05-02").isoformat()},
        ]
        sign_up(1, "2026-05-03", "ada", earlier_clicks=earlier)
        sign_up(2)
        assert (of("ada").clicks, of("bob").clicks) == (2, 1)
        assert of("ada", in_month("2026-04")).clicks == 1

    def test_count_at_the_time_of_the_click_and_not_of_the_sign_up(self, of: Of) -> None:
        sign_up(1, "2026-05-31", "ada", bound_at=at("2026-06-20"))
        assert of("ada").clicks == 1
        assert of("ada", in_month("2026-06")).clicks == 0

    def test_of_an_unknown_time_are_not_in_a_period(self, of: Of) -> None:
        sign_up(1, "", "ada", earlier_clicks=[{"partner_key": "ada", "at": ""}])
        assert of("ada").clicks == 0
        assert of("ada", Period()).clicks == 2


class TestSignUps:
    def test_are_the_customers_of_the_partner_that_partnerstack_has(self, of: Of) -> None:
        partner("ada")
        customer(1, "ada")
        customer(2, "ada", archived=True)
        customer(3, "ada", missing_since=at("2026-05-20"))
        customer(4, "ada", day="2026-06-01 00")
        customer(5, "ada", mode="production")
        assert of("ada").sign_ups == 1

    def test_of_a_partner_that_was_never_synced_are_named_by_its_key(self, of: Of) -> None:
        customer(1, "ada")
        assert of("ada").sign_ups == 1

    def test_without_a_partner_are_in_the_last_row(self, db: None) -> None:
        partner("ada")
        customer(1, "")
        customer(2, "ada")
        found = report("test", MAY)
        found.sort("-sign_ups")
        assert [str(row) for row, _figures in found.rows] == ["ada", ""]


class TestRevenue:
    def test_is_what_partnerstack_has_by_currency_and_never_added_up(self, of: Of) -> None:
        customer(1, "ada")
        payment("p1", 1, 4900)
        payment("p2", 1, 100)
        payment("p3", 1, 500, currency="JPY")
        payment("p4", 1, 999, mode="production")
        assert of("ada").revenue == {"USD": 5000, "JPY": 500}
        assert of("ada").refunds == {"USD": 0, "JPY": 0}
        assert of("ada").paying == 1

    def test_of_a_payment_stays_in_its_month_after_a_refund(self, of: Of) -> None:
        customer(1, "ada")
        payment("p1", 1, 4900, archived=True)
        payment("p1~r1", 1, 4000, day="2026-07-01", archived=True)
        payment("p1~r2", 1, 3000, day="2026-08-01")
        assert (of("ada").revenue, of("ada").refunds) == ({"USD": 3000}, {"USD": 1900})
        assert of("ada").paying == 1
        assert of("ada", in_month("2026-07")) == of("ada", in_month("2026-08")) == Figures()

    def test_is_nothing_after_a_full_refund(self, of: Of) -> None:
        customer(1, "ada")
        payment("p1", 1, 4900, archived=True)
        payment("p2", 1, 700, missing_since=at("2026-05-30"))
        figures = of("ada")
        assert (figures.revenue, figures.refunds, figures.paying) == ({"USD": 0}, {"USD": 5600}, 0)

    def test_is_reduced_by_a_negative_amount(self, of: Of) -> None:
        customer(1, "ada")
        payment("p1", 1, 4900)
        payment("p2", 1, -900)
        assert (of("ada").revenue, of("ada").refunds) == ({"USD": 4000}, {"USD": 900})

    def test_of_a_rest_whose_payment_was_never_synced_counts_by_itself(self, of: Of) -> None:
        customer(1, "ada")
        payment("p1~r12", 1, 4000)
        payment("a~real-key", 1, 100)
        assert (of("ada").revenue, of("ada").refunds) == ({"USD": 4100}, {"USD": 0})
        assert of("ada").paying == 1

    def test_is_exact_where_a_float_is_not(self, of: Of) -> None:
        customer(1, "ada")
        payment("p1", 1, 2**53 + 1)
        payment("p2", 1, 2)
        assert of("ada").revenue == {"USD": 2**53 + 3}

    def test_of_an_unknown_customer_has_no_partner(self, of: Of) -> None:
        payment("p1", 99, 100)
        assert of("").revenue == {"USD": 100}

    def test_follows_a_refund_that_the_site_reports(
        self, transactional_db: None, of: Of, partnerstack: Sandbox
    ) -> None:
        shop = Account.objects.create(email="ada@example.com", partner_key="gstest")
        bill = Payment.objects.create(account=shop, total="49.00")
        worker().run()
        track.refund(f"payment-{bill.pk}", amount=900)
        worker().run()
        figures = of("gstest", months(1)[0])
        assert (figures.sign_ups, figures.paying) == (1, 1)
        assert (figures.revenue, figures.refunds) == ({"USD": 4000}, {"USD": 900})


class TestRewards:
    def test_are_added_up_by_status_and_currency(self, of: Of) -> None:
        partner("ada")
        reward("r1", "ada", 490)
        reward("r2", "ada", 10)
        reward("r3", "ada", 50, "paid")
        reward("r4", "ada", 7, currency="EUR")
        reward("r5", "ada", 1000, remote_created_at=at("2027-01-01"), status="scheduled")
        assert of("ada").rewards == {"approved": {"USD": 500, "EUR": 7}, "paid": {"USD": 50}}

    def test_without_an_amount_count_as_nothing(self, of: Of) -> None:
        Reward.objects.create(
            mode="test",
            key="r1",
            partnership_key="part_ada",
            currency="USD",
            remote_created_at=at("2026-05-12"),
        )
        assert of("part_ada").rewards == {"": {"USD": 0}}


class TestPeriod:
    @pytest.mark.parametrize(
        ("zone", "months_"),
        [("UTC", ["2026-05"]), ("Asia/Tokyo", ["2026-06"]), ("America/Lima", ["2026-05"])],
    )
    def test_is_in_the_current_time_zone(self, of: Of, zone: str, months_: list[str]) -> None:
        customer(1, "ada", day="2026-05-31 20")
        payment("p1", 1, 100, day="2026-05-31 20")
        with timezone.override(zone):
            found = [name for name in ("2026-05", "2026-06") if of("ada", in_month(name)).sign_ups]
            paid = [name for name in ("2026-05", "2026-06") if of("ada", in_month(name)).revenue]
        assert found == paid == months_


def test_a_partner_alone_has_the_same_figures_as_in_the_report_of_all(of: Of) -> None:
    partner("ada"), partner("bob")
    for number, name in enumerate(["ada", "bob", "ada"]):
        customer(number, name)
        payment(f"pay-{number}", number, 100 + number)
        sign_up(number, "2026-05-09", name)
    reward("r1", "ada", 5)
    found = find_partner("test", "ada")
    assert found
    assert report("test", MAY, partner=found).rows == [(found, of("ada"))]


def test_a_group_shows_only_its_partners(db: None) -> None:
    Group.objects.create(mode="test", key="g1", name="Gold")
    partner("ada", group_key="g1"), partner("bob")
    customer(1, "ada"), customer(2, "bob")
    [(row, _figures)] = report("test", MAY, group_key="g1").rows
    assert (str(row), row.group) == ("ada", "Gold")


def test_a_reader_who_may_not_see_transactions_gets_no_revenue(db: None) -> None:
    customer(1, "ada")
    payment("p1", 1, 100)
    [(_row, figures)] = report("test", MAY, visible=["customer"]).rows
    assert (figures.sign_ups, figures.paying, dict(figures.revenue)) == (1, 0, {})


@pytest.mark.parametrize("words", ["ada", "part_ada", "ADA@x.example"])
def test_a_partner_is_found_by_keys_and_address(db: None, words: str) -> None:
    partner("ada", email="ada@x.example")
    assert str(find_partner("test", words)) == "ada"
    assert find_partner("production", words) is None


def test_the_number_of_queries_does_not_grow(db: None, django_assert_num_queries: Any) -> None:
    for number in range(30):
        partner(f"p{number}")
        customer(number, f"p{number}")
        payment(f"pay-{number}", number, 100)
    with django_assert_num_queries(9):
        report("test", MAY)


def test_random_payments_add_up_as_in_plain_python(db: None) -> None:
    """2,000 payments with refunds, on every database."""
    rng, rows, revenue, refunds = random.Random(7), [], defaultdict(int), defaultdict(int)
    paying = defaultdict(set)
    start = at("2026-05-01 00")
    for number in range(400):
        customer(number, f"p{number % 7}")
    for number in range(2000):
        buyer, amount, currency = rng.randrange(400), rng.randrange(1, 10**9), rng.choice(["USD", "JPY"])
        when, chain = start + timedelta(hours=rng.randrange(-500, 1500)), rng.choice([0, 0, 0, 1, 2, 11])
        amounts = [amount] + [rng.randrange(0, amount) for _ in range(chain)]
        is_deleted = rng.random() < 0.1
        for step, each in enumerate(amounts):
            rows.append(
                Transaction(
                    mode="test",
                    key=f"pay-{number}" + (f"~r{step}" if step else ""),
                    customer_key=f"cus_{buyer}",
                    amount=each,
                    currency=currency,
                    remote_created_at=when + timedelta(days=40 * step),
                    archived=is_deleted or step < chain,
                )
            )
        if start <= when < at("2026-06-01 00"):
            rest = 0 if is_deleted else amounts[-1]
            revenue[f"p{buyer % 7}", currency] += rest
            refunds[f"p{buyer % 7}", currency] += amount - rest
            if rest:
                paying[f"p{buyer % 7}"].add(buyer)
    Transaction.objects.bulk_create(rows)
    found = report("test", MAY).rows
    assert {(str(row), code): n for row, each in found for code, n in each.revenue.items()} == revenue
    assert {(str(row), code): n for row, each in found for code, n in each.refunds.items()} == refunds
    assert {str(row): each.paying for row, each in found} == {
        name: len(all_) for name, all_ in paying.items()
    }
