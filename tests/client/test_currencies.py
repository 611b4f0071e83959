from __future__ import annotations

import pytest

from django_partnerstack.client.currencies import exponent


@pytest.mark.parametrize(("code", "decimals"), [("USD", 2), ("JPY", 0), ("jpy", 0), ("KWD", 3), ("CLF", 4)])
def test_a_currency_has_the_decimals_of_iso_4217(code: str, decimals: int) -> None:
    assert exponent(code) == decimals


@pytest.mark.parametrize("code", ["", "XXY"])
def test_a_currency_that_is_not_known_has_two(code: str) -> None:
    assert exponent(code) == 2
