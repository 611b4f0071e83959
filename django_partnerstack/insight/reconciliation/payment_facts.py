"""What both sides have of a payment, and how its content differs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ...outbox.keys import number_of
from . import kinds
from .kinds import Kind
from .ledger import Fact, MirroredPayment, Reported, SitePayment
from .tally import Money, in_major_units

#: Whether it is a deletion, and the number of the derived key; 0 for the payment itself.
Step = tuple[bool, int]


@dataclass(frozen=True)
class PaymentFacts:
    """What both sides have of a payment, under its key and the keys derived from it, by their numbers."""

    key: str
    here: list[SitePayment] = field(default_factory=list)
    reported: dict[Step, Reported] = field(default_factory=dict)
    there: dict[int, MirroredPayment] = field(default_factory=dict)

    @classmethod
    def of(cls, key: str, facts: Iterable[Fact]) -> PaymentFacts:
        found = cls(key)
        for fact in facts:
            if isinstance(fact, SitePayment):
                found.here.append(fact)
            elif isinstance(fact, Reported):
                found.reported[fact.is_deletion, number_of(fact.key)] = fact
            elif isinstance(fact, MirroredPayment):
                found.there[number_of(fact.key)] = fact
        return found

    @property
    def wanted(self) -> SitePayment | Reported | None:
        """The whole payment as this site has it, or as it was reported by code without a source."""
        original = self.reported.get((False, 0))
        if self.here:
            return self.here[0]
        return original if original and original.amount is not None else None

    @property
    def money(self) -> Money | None:
        wanted = self.wanted
        return (wanted.amount, wanted.currency) if wanted and wanted.amount is not None else None

    @property
    def has_lost_its_content(self) -> bool:
        """Whether it was deleted for a correction that never came."""
        original = self.reported.get((False, 0))
        return original is not None and original.amount is None

    @property
    def present(self) -> list[int]:
        return [number for number, row in self.there.items() if row.present]

    @property
    def time(self) -> tuple[float | None, ...]:
        """When it was paid, or else reported, or created at PartnerStack."""
        original = self.reported.get((False, 0))
        return (
            self.here[0].at if self.here else None,
            original.at if original else None,
            *(row.at for _, row in sorted(self.there.items())),
        )

    @property
    def is_unknown(self) -> bool:
        return not (self.here or self.reported)

    @property
    def is_plainly_there(self) -> bool:
        """Whether it is there once, was never refunded or corrected, and is the same."""
        wanted, row = self.wanted, self.there.get(0)
        plain = len(self.here) < 2 and self.reported.keys() <= {(False, 0)} and self.there.keys() == {0}
        if not (plain and row and row.present and row.customer_key and wanted):
            return False
        return not difference_of(wanted, row, row.customer_key)


def difference_of(wanted: Any, found: Any, customer_key: str) -> Kind | None:
    """The first field that differs. A field that PartnerStack does not show is no difference."""
    if customer_key and wanted.customer_key and wanted.customer_key != customer_key:
        return kinds.CUSTOMER
    if wanted.currency and found.currency and wanted.currency.upper() != found.currency.upper():
        return kinds.CURRENCY
    if None not in (wanted.amount, found.amount) and wanted.amount != found.amount:
        return kinds.AMOUNT
    return None


def in_words(kind: Kind, wanted: Any, found: Any, customer_key: str) -> str:
    """What each side has."""
    if kind is kinds.CUSTOMER:
        return f"PartnerStack has it under {customer_key}, this site under {wanted.customer_key}."
    here, there = map(_in_words, (wanted, found))
    return f"PartnerStack has {there}, this site {here}."


def _in_words(payment: Any) -> str:
    return payment.currency if payment.amount is None else in_major_units(payment.amount, payment.currency)


def money_of(row: Any) -> Money | None:
    return (row.amount, row.currency.upper()) if row.amount is not None else None
