"""Amounts as PartnerStack wants them: whole numbers of the currency's minor unit."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from ..client.currencies import exponent
from ..exceptions import InvalidArgument


def minor_units(amount: Decimal | int, currency: str) -> int:
    """
    The amount in minor units: ``Decimal("49.00")`` US dollars are 4900; an int is in minor units already.

    Raises InvalidArgument for anything else, and for a Decimal with more decimals than the currency has:
    rounding is the caller's decision.
    """
    if (
        not isinstance(currency, str)
        or len(currency) != 3
        or not currency.isascii()
        or not currency.isalpha()
    ):
        raise InvalidArgument(f"The currency must be three letters, such as USD; not {currency!r}.")
    if isinstance(amount, int) and not isinstance(amount, bool):
        return amount
    if not isinstance(amount, Decimal):
        raise InvalidArgument(
            f"The amount must be a Decimal, or an int in minor units; not {type(amount).__name__}. "
            "A float cannot hold most amounts exactly."
        )
    if not amount.is_finite():
        raise InvalidArgument(f"The amount must be a number; not {amount}.")
    decimals = exponent(currency)
    # A Decimal's own arithmetic rounds to the digits of the caller's context.
    scaled = Fraction(amount) * 10**decimals
    if scaled.denominator != 1:
        raise InvalidArgument(
            f"{amount} has more decimals than {currency.upper()} has ({decimals}). Round it first."
        )
    return int(scaled)
