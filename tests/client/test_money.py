from __future__ import annotations

from decimal import Decimal, localcontext
from typing import Any

import pytest

from django_partnerstack.client.money import exponent, minor_units, warn_of_scale
from django_partnerstack.exceptions import InvalidArgument


@pytest.mark.parametrize(("code", "decimals"), [("USD", 2), ("JPY", 0), ("jpy", 0), ("KWD", 3), ("CLF", 4)])
def test_a_currency_has_the_decimals_of_iso_4217(code: str, decimals: int) -> None:
    assert exponent(code) == decimals


@pytest.mark.parametrize("code", ["", "XXY"])
def test_an_unknown_currency_has_two_decimals(code: str) -> None:
    assert exponent(code) == 2


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [
        (Decimal("49"), "USD", 4900),
        (Decimal("49.00"), "usd", 4900),
        (Decimal("49.1"), "EUR", 4910),
        (Decimal("4900"), "JPY", 4900),
        (Decimal("4900.00"), "JPY", 4900),
        (Decimal("4.900"), "KWD", 4900),
        (Decimal("4.9000"), "CLF", 49000),
        (Decimal("4.90000"), "USD", 490),
        (Decimal("4.9E+2"), "USD", 49000),
        (Decimal("-0.01"), "USD", -1),
        (Decimal("-0"), "USD", 0),
        (Decimal("1.5"), "chf", 150),
        (4900, "USD", 4900),
        (4900, "JPY", 4900),
    ],
)
def test_a_decimal_is_in_major_units_and_an_int_in_minor_units(
    amount: Any, currency: str, minor: int
) -> None:
    assert minor_units(amount, currency) == minor
    assert type(minor_units(amount, currency)) is int


@pytest.mark.parametrize("amount", [49.0, "49.00", True, None, 49 + 0j])
def test_an_amount_that_may_be_inexact_is_refused(amount: Any) -> None:
    with pytest.raises(InvalidArgument, match=f"must be a Decimal.*not {type(amount).__name__}"):
        minor_units(amount, "USD")


@pytest.mark.parametrize("amount", ["NaN", "sNaN", "Infinity", "-Infinity"])
def test_a_decimal_that_is_not_a_number_is_refused(amount: str) -> None:
    with pytest.raises(InvalidArgument, match="must be a number"):
        minor_units(Decimal(amount), "USD")


@pytest.mark.parametrize(
    ("amount", "currency"),
    [
        ("49.001", "USD"),
        ("4900.5", "JPY"),
        ("4.9001", "KWD"),
        ("49.0000000000000000000000000000001", "USD"),
        ("123456789012345678901234567890.005", "USD"),
    ],
)
def test_too_many_decimals_are_refused_and_never_rounded(amount: str, currency: str) -> None:
    with pytest.raises(InvalidArgument, match=rf"more decimals than {currency} has .* Round it first"):
        minor_units(Decimal(amount), currency)


def test_the_callers_decimal_context_does_not_matter() -> None:
    with localcontext() as context:
        context.prec = 3
        assert minor_units(Decimal("12345.67"), "USD") == 1234567


@pytest.mark.parametrize("currency", ["", "US", "USDX", "US1", "U D", "ÄÖÜ", None, 840])
def test_a_currency_has_three_letters(currency: Any) -> None:
    with pytest.raises(InvalidArgument, match="three letters"):
        minor_units(Decimal("1"), currency)


@pytest.mark.parametrize("code", ["ISK", "UGX", "MGA"])
def test_an_int_that_providers_scale_otherwise_is_warned_of_once(code: str, caplog: Any) -> None:
    warn_of_scale.cache_clear()
    assert [minor_units(500, code), minor_units(700, code.lower())] == [500, 700]
    assert [record.getMessage().count(code) for record in caplog.records] == [2]
    assert "Give a Decimal" in caplog.text


@pytest.mark.parametrize(("amount", "code"), [(Decimal("500"), "ISK"), (Decimal("500"), "MGA"), (500, "JPY")])
def test_other_amounts_are_not_warned_of(amount: Any, code: str, caplog: Any) -> None:
    warn_of_scale.cache_clear()
    minor_units(amount, code)
    assert not caplog.records
