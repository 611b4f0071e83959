"""The history of a site. The same seed gives the same history, so its effects at PartnerStack are known."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from random import Random

#: Objects whose transaction is rolled back have numbers from here on, so that their keys can be recognised.
GHOSTS = 500_000_000


@dataclass(frozen=True)
class Event:
    """
    A transaction of the host. ``kept``: it is committed, not rolled back.

    ``cents``: the amount paid or refunded. ``text``: a new name.
    """

    kind: str
    account: int
    payment: int = 0
    cents: int = 0
    text: str = ""
    kept: bool = True


class History:
    """
    Sign-ups, payments, changes and refunds, until ``number`` of them are committed.

    Some customers are strangers at first: the site reports them later than their first payments.
    """

    def __init__(self, seed: int, number: int) -> None:
        self.random = Random(seed)
        self.number = number
        self.accounts = 0
        self.payments = 0
        #: Customers who are not reported yet.
        self.strangers: list[int] = []
        #: Payments that can be refunded, by number: account and cents.
        self.paid: dict[int, tuple[int, int]] = {}

    def __iter__(self) -> Iterator[Event]:
        for number in range(self.number):
            if self.random.random() < 0.1 and self.accounts:
                yield self._ghost(number)
            yield self._next(number)

    def _next(self, number: int) -> Event:
        chance, left = self.random.random(), self.number - number
        if self.strangers and (chance > 0.95 or left <= len(self.strangers)):
            return Event("known", self.strangers.pop(0))
        if chance < 0.05 and left > len(self.strangers) + 1:
            self.accounts += 1
            self.strangers.append(self.accounts)
            return Event("stranger", self.accounts)
        if chance < 0.3 or not self.accounts:
            self.accounts += 1
            return Event("sign-up", self.accounts)
        account = self.random.randint(max(1, self.accounts - 50), self.accounts)
        if chance < 0.5 and account not in self.strangers:
            return Event("change", account, text=f"Name {number}")
        if chance < 0.85 or not self.paid:
            self.payments += 1
            cents = self.random.randint(200, 99_999)
            self.paid[self.payments] = account, cents
            return Event("payment", account, payment=self.payments, cents=cents)
        payment = self.random.choice(list(self.paid)[-50:])
        account, cents = self.paid.pop(payment)
        back = cents if self.random.random() < 0.5 else self.random.randint(1, cents - 1)
        return Event("refund", account, payment=payment, cents=back)

    def _ghost(self, number: int) -> Event:
        kind = self.random.choice(("sign-up", "change", "payment", "refund"))
        account = self.random.randint(1, self.accounts)
        if kind == "sign-up":
            return Event(kind, GHOSTS + number, kept=False)
        if kind == "refund" and self.paid:
            payment = self.random.choice(list(self.paid)[-50:])
            account, cents = self.paid[payment]
            return Event(kind, account, payment=payment, cents=cents, kept=False)
        if kind == "payment":
            return Event(kind, account, payment=GHOSTS + number, cents=500, kept=False)
        return Event("change", account, text=f"Name {GHOSTS + number}", kept=False)


#: A verb, and the key or name that it is about.
Effect = tuple[str, str]


def effects(events: Iterable[Event]) -> dict[str, list[Effect]]:
    """By customer key, the effects that PartnerStack must have, in this order and once each."""
    expected: dict[str, list[Effect]] = defaultdict(list)
    paid = {event.payment: event.cents for event in events if event.kind == "payment"}
    for event in events:
        effects_of_customer = expected[f"shop-account-{event.account}"]
        if event.kind == "known":
            # The payments waited for the customer.
            effects_of_customer.insert(0, ("create customer", f"shop-account-{event.account}"))
        elif event.kept and event.kind != "stranger":
            effects_of_customer += _effects(event, paid)
    return expected


def _effects(event: Event, paid: dict[int, int]) -> list[Effect]:
    key = f"payment-{event.payment}"
    if event.kind == "sign-up":
        return [("create customer", f"shop-account-{event.account}")]
    if event.kind == "change":
        return [("change customer", event.text)]
    if event.kind == "payment":
        return [("create transaction", key)]
    rest = [("create transaction", f"{key}~r1")] if event.cents < paid[event.payment] else []
    return [("delete transaction", key), *rest]
