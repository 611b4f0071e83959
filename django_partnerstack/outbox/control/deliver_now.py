"""Deliver the messages of some lanes now, for an operator who waits for the result."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

from django.db import models, router
from django.db.models import Count

from ... import sources
from ...conf import conf
from ...identity.customers import customer_key
from ...models import LaneStatus, OutboxLane, OutboxMessage, State
from ..push import worker
from ..queue.new_message import customer_lane

#: States of messages that a worker will send.
SENDABLE = frozenset({State.QUEUED, State.SCHEDULED, State.SENDING, State.UNCONFIRMED})


@dataclass(frozen=True)
class DeliveredNow:
    """
    ``by_state``: how many messages reached each new state. ``remaining``: how many messages the workers
    deliver later. ``idle_lanes``: the lanes without a message to send. ``organic_lanes``: those of them whose
    customer has no partner.
    """

    by_state: Counter[str]
    remaining: int
    idle_lanes: frozenset[str]
    organic_lanes: frozenset[str]


def deliver_now(lanes: Collection[str], *, limit: int, seconds: float) -> DeliveredNow:
    """
    Deliver at most ``limit`` messages of these lanes in the site's mode; the workers deliver the rest.

    Starts no attempt after ``seconds``, but waits for those that run. Do not call it in a transaction.

    Raises ConfigurationError if there is no key pair.
    """
    loop = worker()
    before, busy = _count(lanes)
    if busy:
        loop.run(lanes=busy, limit=limit, seconds=seconds)
    after, _ = _count(busy)
    by_state = after - before
    for state in SENDABLE:
        by_state.pop(state, None)
    organic = OutboxLane.objects.using(router.db_for_write(OutboxLane)).filter(
        mode=conf.mode, key__in=lanes, status=LaneStatus.ORGANIC
    )
    return DeliveredNow(
        by_state,
        sum(after[state] for state in SENDABLE),
        frozenset(lanes) - busy,
        frozenset(organic.values_list("key", flat=True)),
    )


def lane_of(instance: models.Model) -> str:
    """The lane of a host object with a registered source; empty if the source does not report it."""
    if sources.find(sources.customers, type(instance)) is not None:
        return customer_lane(customer_key(instance))
    describe = sources.find(sources.transactions, type(instance))
    data = describe(instance) if describe is not None else None
    if not isinstance(data, sources.TransactionData):
        return ""
    return customer_lane(customer_key(data.customer))


def _count(lanes: Collection[str]) -> tuple[Counter[str], frozenset[str]]:
    """The messages of these lanes by state, and the lanes that have something to send."""
    using = router.db_for_write(OutboxMessage)
    messages = OutboxMessage.objects.using(using).filter(mode=conf.mode, lane__in=lanes).order_by()
    counts: Counter[str] = Counter()
    busy = set()
    for lane, state, number in messages.values_list("lane", "state").annotate(Count("pk")):
        counts[state] += number
        if state in SENDABLE:
            busy.add(lane)
    return counts, frozenset(busy)
