"""
What PartnerStack has of messages of which nobody knows whether it carried them out, for a person to judge.

Only asks; nothing is written to the messages.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..client import Client
from ..client.retry import RetryPolicy
from ..conf import conf
from ..connection import get_client
from ..exceptions import PartnerStackError
from ..models import Customer, OutboxMessage
from .operations import OPERATIONS, SKEW
from .push import site_line


@dataclass(frozen=True)
class LookUp:
    """
    What a look-up showed.

    ``found``: the object with the message's key, and in what it ``differs`` from what was asked for.
    ``candidates``: where there is no key to look by, what may be it. ``problem``: why there is no answer;
    then the others say nothing.
    """

    found: Any = None
    differs: str = ""
    candidates: tuple[Any, ...] = ()
    problem: str = ""


class TookTooLong(PartnerStackError):
    """There was no time left for the look-up."""


def look_up(messages: Iterable[OutboxMessage], *, seconds: float) -> dict[int, LookUp]:
    """
    Ask PartnerStack for messages of the site's mode; by their primary key, what it has.

    Actions cannot be looked up: those of the same type and customer from the time of sending are candidates.
    Begins no request after ``seconds``. Raises ConfigurationError without a key pair.
    """
    client = get_client(deadline=seconds, retry_policy=RetryPolicy(attempts=1))
    line, patience = site_line(conf.mode), Patience(seconds)

    def turn() -> None:
        line.turn(patience)

    return {message.pk: _look_up(message, client, turn) for message in messages}


class Patience:
    """Waits, as long as the time allows."""

    def __init__(self, seconds: float) -> None:
        self.until = time.monotonic() + seconds

    def __call__(self, seconds: float) -> bool:
        """Raises TookTooLong rather than wait beyond the end."""
        if time.monotonic() + seconds > self.until:
            raise TookTooLong("Not looked up: the time was up.")
        time.sleep(seconds)
        return False


def _look_up(message: OutboxMessage, client: Client, turn: Callable[[], None]) -> LookUp:
    operation = OPERATIONS[message.operation]
    if message.mode != conf.mode:
        return LookUp(problem=f"Not looked up: the site runs in {conf.mode} mode.")
    if operation.repeatable:
        return LookUp(problem="Not looked up: to send it again does no harm.")
    end = message.in_doubt_since or message.sent_at
    if end is None:
        return LookUp(problem="Not looked up: it was never sent.")
    begin = message.first_sent_at or end
    try:
        turn()
        if operation.find is not None:
            found = operation.find(client, message.content, begin, end, turn)
            differs = operation.disagreement(message.content, found) if found is not None else ""
            return LookUp(found=found, differs=differs)
        return LookUp(candidates=tuple(_actions(client, message, begin, end, turn)))
    except PartnerStackError as error:
        return LookUp(problem=str(error))


def _actions(
    client: Client, message: OutboxMessage, begin: datetime, end: datetime, turn: Callable[[], None]
) -> Iterator[Any]:
    payload = message.payload
    customers = Customer.objects.filter(mode=message.mode, customer_key=payload["target_key"])
    customer = customers.values_list("key", flat=True).first()
    pages = client.actions.pages(
        min_created=begin - SKEW, max_created=end + SKEW, action_type=payload["type"]
    )
    for page in pages:
        yield from (record for record in page.records if _may_be(record, payload, customer))
        if page.has_more:
            turn()


def _may_be(record: Any, payload: dict[str, Any], customer: str | None) -> bool:
    """Whether an action is of this type and target. How an action names its target is not documented."""
    if record.type != payload["type"]:
        return False
    if payload.get("external_key") and record.external_key:
        return record.external_key == payload["external_key"]
    if target := record.raw.get("target_key"):
        return target == payload["target_key"]
    return not customer or not record.customer_key or record.customer_key == customer
