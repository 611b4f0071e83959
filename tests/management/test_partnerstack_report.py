from __future__ import annotations

import csv
import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from tests.insight.report.conftest import customer, partner, payment, reward, sign_up

MAY = ("--from=2026-05", "--to=2026-05")


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("partnerstack_report", *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def programme(db: None) -> None:
    partner("ada", first_name="Ada", last_name="L", email="ada@x.example"), partner("=bob")
    for number, name in enumerate(["ada", "=bob"]):
        customer(number, name)
        payment(f"pay-{number}", number, 4900)
    payment("pay-2", 0, 500, currency="JPY")
    sign_up(0, "2026-05-09", "ada")
    reward("r1", "ada", 490)


def test_the_table_has_a_line_for_each_partner_and_the_total(programme: None) -> None:
    heading, names, bob, ada, total = run(*MAY).splitlines()
    assert heading == "2026-05, test mode"
    words = [" ".join(line.split()) for line in (names, bob, ada, total)]
    assert words == [
        "partner group clicks sign-ups paying revenue refunds rewards",
        "=bob 0 1 1 49.00 USD -",
        "ada 1 1 1 500 JPY, 49.00 USD - approved: 4.90 USD",
        "total 1 2 2 500 JPY, 98.00 USD - approved: 4.90 USD",
    ]


def test_csv_has_a_column_for_each_currency_and_no_formulas(programme: None) -> None:
    bob, ada = csv.DictReader(run(*MAY, "--csv").splitlines())
    assert bob["partner_key"] == "'=bob"
    assert ada == {
        "partner_key": "ada",
        "partnership_key": "part_ada",
        "name": "Ada L",
        "email": "ada@x.example",
        "group": "",
        "clicks": "1",
        "sign_ups": "1",
        "paying_customers": "1",
        "revenue JPY": "500",
        "revenue USD": "49.00",
        "refunds JPY": "0",
        "refunds USD": "0.00",
        "rewards approved USD": "4.90",
    }


def test_json_of_one_partner(programme: None) -> None:
    found = json.loads(run(*MAY, "--partner=ada@x.example", "--json"))
    assert (found["from"], found["to"], found["mode"]) == ("2026-05-01", "2026-05-31", "test")
    [ada] = found["partners"]
    assert ada["revenue"] == {"JPY": "500", "USD": "49.00"}
    assert ada["rewards"] == {"approved": {"USD": "4.90"}}
    assert found["total"]["sign_ups"] == 1


def test_without_a_period_it_is_the_current_month(db: None) -> None:
    partner("ada")
    customer(1, "ada", remote_created_at=timezone.now())
    customer(2, "ada", day="2020-01-01")
    assert json.loads(run("--json"))["total"]["sign_ups"] == 1


def test_a_period_without_figures_says_so(db: None) -> None:
    assert run(*MAY) == "Nothing in this period (2026-05, test mode).\n"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--from=May"], "'May' is not a day; write 2026-05-17, or 2026-05 for a month"),
        (["--from=2026-06", "--to=2026-05"], r"--from \(2026-06-01\) is later than --to \(2026-05-31\)."),
        (
            ["--partner=nobody"],
            "There is no partner 'nobody' in test mode: .* partnerstack_sync",
        ),
    ],
)
def test_a_mistake_is_one_line_that_says_what_to_do(db: None, arguments: list[Any], says: str) -> None:
    with pytest.raises(CommandError, match=says):
        run(*arguments)
