"""The currencies that PartnerStack accepts, and what they are worth in US cents."""

from __future__ import annotations

from ..replies import Refusal

_CODES = """
AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD
CDF CHE CHF CHW CLF CLP CNY COP COU CRC CUC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS
GIP GMD GNF GTQ GYD HKD HNL HRK HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD
KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR
NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SLL SOS SRD SSP STN
SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD USN UYI UYU UYW UZS VED VES VND VUV WST XAF XCD
XCG XOF XPF YER ZAR ZMW ZWG ZWL
"""
#: The currencies of ISO 4217, without metals, units of account and test codes.
CURRENCIES = frozenset(_CODES.split())
#: US cents for 100 minor units of a currency. Invented values; other currencies count as US dollars.
RATES = {"USD": 100, "CAD": 73, "EUR": 110, "GBP": 128, "AUD": 66, "JPY": 67}


def known_currency(code: str) -> str:
    """The code in upper case. Raises Refusal with 400 for anything that is not a currency."""
    if code.upper() not in CURRENCIES:
        raise Refusal(400, f"{code!r} is not a valid currency")
    return code.upper()


def us_cents(amount: int, currency: str) -> int:
    return amount * RATES.get(currency, 100) // 100
