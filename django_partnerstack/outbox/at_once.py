"""Delivering what waits in some lanes at once, for a person who looks on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

from django.db import models, router
from django.db.models import Count

from .. import sources
from ..conf import conf
from ..models import OutboxMessage, State
from .enqueue import customer_lane
from .push import worker

WAITING = frozenset({State.NEW, State.READY, State.SENDING, State.UNKNOWN})


@dataclass(frozen=True)
class Pushed:
    """
    What came of it: ``became`` counts messages by their new state, ``left`` are waiting still, and in the
    lanes ``idle`` none was waiting.
    """

    became: Counter[str]
    left: int
    idle: frozenset[str]


def push_at_once(lanes: Collection[str], *, limit: int, seconds: float) -> Pushed:
    """
    Deliver what waits in these lanes in the site's mode; what is left is delivered by the workers.

    At most ``limit`` messages. Begins nothing after ``seconds``; what is being sent then is waited for.
    Raises ConfigurationError without a key pair. Not for a transaction.
    """
    deliverer = worker()
    before, busy = _standing(lanes)
    if busy:
        deliverer.run(lanes=busy, limit=limit, seconds=seconds)
    after, _ = _standing(busy)
    became = after - before
    for state in WAITING:
        became.pop(state, None)
    return Pushed(became, sum(after[state] for state in WAITING), frozenset(lanes) - busy)


def lane_of(instance: models.Model) -> str:
    """The lane of a host object with a registered source; empty if its source does not report it."""
    if sources.find(sources.customers, type(instance)) is not None:
        return customer_lane(sources.customer_key(instance))
    describe = sources.find(sources.transactions, type(instance))
    data = describe(instance) if describe is not None else None
    if not isinstance(data, sources.TransactionData):
        return ""
    return customer_lane(sources.customer_key(data.customer))


def _standing(lanes: Collection[str]) -> tuple[Counter[str], frozenset[str]]:
    """How many messages of these lanes are in which state, and the lanes in which any waits."""
    using = router.db_for_write(OutboxMessage)
    messages = OutboxMessage.objects.using(using).filter(mode=conf.mode, lane__in=lanes).order_by()
    counts: Counter[str] = Counter()
    busy = set()
    for lane, state, number in messages.values_list("lane", "state").annotate(Count("pk")):
        counts[state] += number
        if state in WAITING:
            busy.add(lane)
    return counts, frozenset(busy)
