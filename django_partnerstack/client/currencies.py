"""How many decimals a currency has, by ISO 4217 (six-group.com, list one)."""

from __future__ import annotations

_DECIMALS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
_EXPONENTS = {code: exponent for exponent, codes in _DECIMALS.items() for code in codes.split()}


def exponent(code: str) -> int:
    """
    Decimals between a currency's major and minor unit; 2 for a code that is not known.

    How PartnerStack scales currencies without cents is not documented.
    """
    return _EXPONENTS.get(code.upper(), 2)
