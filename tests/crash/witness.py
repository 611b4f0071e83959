"""A sandbox that records its requests in the order of their effects."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from urllib.parse import unquote

from django_partnerstack.sandbox import Reply, Sandbox

from .history import Effect


@dataclass(frozen=True)
class Arrival:
    """A request, ``at`` seconds since the epoch. ``took_effect``: it changed something."""

    at: float
    method: str
    path: str
    body: dict[str, Any]
    status: int
    took_effect: bool


class Witness(Sandbox):
    def __init__(self) -> None:
        super().__init__()
        self.arrivals: list[Arrival] = []

    def handle(self, method: str, target: str, headers: Mapping[str, str], body: bytes = b"") -> Reply:
        with self.lock:
            at, before = self.clock(), self.effects.total()
            reply = super().handle(method, target, headers, body)
            path = unquote(target.partition("?")[0]).removeprefix("/api/v2")
            content = json.loads(body) if body else {}
            took_effect = self.effects.total() > before
            self.arrivals.append(Arrival(at, method, path, content, reply.status, took_effect))
        return reply

    @property
    def writes(self) -> list[Arrival]:
        """The requests that changed something."""
        return [each for each in list(self.arrivals) if each.took_effect]


@dataclass
class Verdict:
    """
    The differences between the effects at PartnerStack and the expected effects.

    ``resent``: changes of a customer that were sent twice in a row, which has the same effect as once.
    """

    expected: int = 0
    lost: int = 0
    second_effects: int = 0
    order_errors: int = 0
    of_rolled_back: int = 0
    resent: int = 0

    @property
    def is_good(self) -> bool:
        return not (self.lost or self.second_effects or self.order_errors or self.of_rolled_back)


def judge(witness: Witness, expected: dict[str, list[Effect]]) -> Verdict:
    happened = _by_customer(witness.writes)
    verdict = Verdict(of_rolled_back=sum(len(happened[key]) for key in happened.keys() - expected.keys()))
    for customer, wanted in expected.items():
        _compare(verdict, wanted, happened.get(customer, []))
    return verdict


def _by_customer(arrivals: list[Arrival]) -> dict[str, list[Effect]]:
    owners: dict[str, str] = {}
    happened: dict[str, list[Effect]] = defaultdict(list)
    for each in arrivals:
        if each.method == "PATCH" and "name" not in each.body:
            # A payment has introduced its customer, whose own message repeats the data.
            continue
        customer, effect = _effect_of(each, owners)
        happened[customer].append(effect)
    return happened


def _effect_of(arrival: Arrival, owners: dict[str, str]) -> tuple[str, Effect]:
    """The customer of a request, and its effect. ``owners``: the customers of payments, by key."""
    name = arrival.path.rpartition("/")[2]
    if arrival.method == "DELETE":
        return owners.get(name, ""), ("delete transaction", name)
    if arrival.method == "PATCH":
        return name, ("change customer", arrival.body["name"])
    if arrival.path == "/customers":
        key = arrival.body["customer_key"]
        return key, ("create customer", key)
    key, customer = arrival.body["key"], arrival.body["customer_external_key"]
    owners[key] = customer
    return customer, ("create transaction", key)


def _compare(verdict: Verdict, wanted: list[Effect], happened: list[Effect]) -> None:
    once = [each for each, before in zip(happened, [None, *happened], strict=False) if _is_new(each, before)]
    places = {effect: place for place, effect in enumerate(wanted)}
    known = [places[effect] for effect in once if effect in places]
    verdict.expected += len(wanted)
    verdict.resent += len(happened) - len(once)
    verdict.of_rolled_back += len(once) - len(known)
    verdict.lost += len(wanted) - len(set(known))
    verdict.second_effects += len(known) - len(set(known))
    verdict.order_errors += sum(after < before for before, after in pairwise(known))


def _is_new(effect: Effect, before: Effect | None) -> bool:
    return effect != before or effect[0] != "change customer"
