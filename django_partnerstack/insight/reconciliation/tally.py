"""Counting differences: how many of each kind, their sums per currency, and the first examples."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import Any

from ...client.money import exponent
from .kinds import KINDS, Kind

#: The examples of a kind that are kept. All are counted.
EXAMPLES = 10

#: Characters of what an example says.
LONGEST_DETAIL = 300

#: An amount in minor units, and its currency.
Money = tuple[int, str]


@dataclass(frozen=True, kw_only=True)
class Difference:
    """
    One payment or customer of which the books differ.

    ``here`` and ``there``: the amount that this site and PartnerStack have of a payment. ``source`` and
    ``source_pk``: the site's object; ``mirror_pk``: the row of the mirror.
    """

    kind: Kind
    key: str
    is_payment: bool = True
    detail: str = ""
    here: Money | None = None
    there: Money | None = None
    source: str = ""
    source_pk: str = ""
    mirror_pk: int | None = None

    def as_example(self) -> dict[str, Any]:
        example = asdict(self)
        del example["kind"]
        return example


@dataclass
class KindTally:
    payments: int = 0
    customers: int = 0
    here: Counter[str] = field(default_factory=Counter)
    there: Counter[str] = field(default_factory=Counter)
    examples: list[dict[str, Any]] = field(default_factory=list)

    @property
    def count(self) -> int:
        return self.payments + self.customers

    def as_json(self) -> dict[str, Any]:
        return {
            "count": self.count,
            "payments": self.payments,
            "customers": self.customers,
            "here": dict(self.here),
            "there": dict(self.there),
            "examples": self.examples,
        }

    def add(self, difference: Difference) -> None:
        if difference.is_payment:
            self.payments += 1
        else:
            self.customers += 1
        for sums, money in ((self.here, difference.here), (self.there, difference.there)):
            if money:
                sums[money[1]] += money[0]
        if len(self.examples) < EXAMPLES:
            self.examples.append(difference.as_example())


class Tally:
    """``same``: what is no difference, by reason, apart for payments and customers."""

    def __init__(self) -> None:
        self.kinds = {code: KindTally() for code in KINDS}
        self.same = {"payments": Counter[str](), "customers": Counter[str]()}

    @property
    def differences(self) -> int:
        return sum(tally.count for tally in self.kinds.values())

    def add(self, difference: Difference) -> None:
        self.kinds[difference.kind.code].add(difference)

    def agree(self, reason: str, *, is_payment: bool = True) -> None:
        self.same["payments" if is_payment else "customers"][reason] += 1

    def as_json(self) -> dict[str, Any]:
        """The kinds that were found, in their order, and what is no difference."""
        found = ((code, tally) for code, tally in self.kinds.items() if tally.count)
        return {
            "differences": {code: tally.as_json() for code, tally in found},
            "same": {what: dict(reasons) for what, reasons in self.same.items()},
        }


def in_major_units(amount: int, currency: str) -> str:
    """``4900, "USD"`` as ``49.00 USD``."""
    decimals = exponent(currency)
    return f"{Decimal(amount).scaleb(-decimals):,.{decimals}f} {currency}"


def sums_in_words(sums: dict[str, int]) -> str:
    return ", ".join(in_major_units(amount, currency) for currency, amount in sorted(sums.items()))
