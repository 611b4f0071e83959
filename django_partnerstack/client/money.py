"""Amounts as PartnerStack wants them: integers in the minor unit of an ISO 4217 currency."""

from __future__ import annotations

import logging
import re
from decimal import Decimal
from fractions import Fraction
from functools import cache
from typing import Any

from ..exceptions import InvalidArgument

logger = logging.getLogger(__name__)

CURRENCY = re.compile(r"[A-Za-z]{3}")
_CODES = """
AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD
CDF CHE CHF CHW CLF CLP CNY COP COU CRC CUC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS
GIP GMD GNF GTQ GYD HKD HNL HRK HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD
KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR
NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SLL SOS SRD SSP STN
SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD USN UYI UYU UYW UZS VED VES VND VUV WST XAF XCD
XCG XOF XPF YER ZAR ZMW ZWG ZWL
"""
#: The currencies of ISO 4217 (six-group.com, list one), without metals, units of account and test codes.
CURRENCIES = frozenset(_CODES.split())
#: Currencies that do not have two decimals, by ISO 4217 (six-group.com, list one).
_CURRENCIES_BY_EXPONENT = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
#: Payment providers scale these otherwise than ISO 4217 (docs.stripe.com/currencies, "Special cases").
SCALED_OTHERWISE = {"ISK", "UGX", "MGA"}
_EXPONENTS = {code: exponent for exponent, codes in _CURRENCIES_BY_EXPONENT.items() for code in codes.split()}


def exponent(currency: str) -> int:
    """
    The number of decimals of a currency: its minor unit is the major unit divided by 10 to this power.

    2 for an unknown code. How PartnerStack reads amounts of a currency without decimals is not documented.
    """
    return _EXPONENTS.get(currency.upper(), 2)


def currency_code(name: str, value: Any) -> str:
    """The three letters of a currency in upper case. Raises ``InvalidArgument`` for anything else."""
    if not isinstance(value, str) or not CURRENCY.fullmatch(value):
        raise InvalidArgument(f"{name} must be three letters, such as USD; not {value!r}.")
    if value.upper() not in CURRENCIES:
        raise InvalidArgument(f"{name}: {value!r} is not a currency of ISO 4217.")
    return value.upper()


def minor_units(amount: Decimal | int, currency: str) -> int:
    """
    The amount in minor units: ``Decimal("49.00")`` US dollars are 4900. An int is already in minor units.

    Logs a warning at the first int in ISK, UGX or MGA: payment providers scale these otherwise.

    Raises ``InvalidArgument`` for any other type, for a wrong currency code and for a Decimal with more
    decimals than the currency has: how to round is the caller's decision.
    """
    code = currency_code("The currency", currency)
    if isinstance(amount, int) and not isinstance(amount, bool):
        if code in SCALED_OTHERWISE:
            warn_of_scale(code)
        return amount
    if not isinstance(amount, Decimal):
        raise InvalidArgument(
            f"The amount must be a Decimal, or an int in minor units; not {type(amount).__name__}. "
            "A float cannot represent most amounts exactly."
        )
    if not amount.is_finite():
        raise InvalidArgument(f"The amount must be a number; not {amount}.")
    # A Decimal's own arithmetic would round to the precision of the caller's context.
    scaled = Fraction(amount) * 10 ** exponent(code)
    if scaled.denominator != 1:
        raise InvalidArgument(
            f"{amount} has more decimals than {code} has ({exponent(code)}). Round it first."
        )
    return int(scaled)


@cache
def warn_of_scale(code: str) -> None:
    """Once for each currency and process."""
    logger.warning(
        "An amount in %s was given as an int. It counts as minor units by ISO 4217, %s to a major unit, but "
        "payment providers scale %s otherwise. Give a Decimal in major units.",
        code,
        10 ** exponent(code),
        code,
    )
