"""Look unconfirmed messages up at PartnerStack, so that an operator can decide. Writes nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from ...client import Client
from ...client.retry import RetryPolicy
from ...conf import conf
from ...connection import get_client
from ...exceptions import LookUpTimeout, NotSent, PartnerStackError
from ...models import OutboxMessage
from ...throttle.throttle import site_throttle
from ..operations import OPERATIONS
from ..remote_search import Search


@dataclass(frozen=True)
class LookUp:
    """
    The result of a look-up.

    ``found``: the object with the message's key. ``differs``: how it differs from the content.
    ``candidates``: objects that may be the effect, if PartnerStack cannot be asked by key. ``problem``: why
    there is no result; the other fields are empty then.
    """

    found: Any = None
    differs: str = ""
    candidates: tuple[Any, ...] = ()
    problem: str = ""


def look_up(messages: Iterable[OutboxMessage], *, seconds: float) -> dict[int, LookUp]:
    """
    Look up messages of the site's mode at PartnerStack. Returns the results by the messages' primary keys.

    Starts no request after ``seconds``. Raises ConfigurationError if there is no key pair.
    """
    throttle, wait = site_throttle(conf.mode), _Deadline(seconds)
    with get_client(deadline=seconds, retry_policy=RetryPolicy(attempts=1)) as client:
        return {
            message.pk: _look_up(message, client, lambda: throttle.acquire_slot(wait)) for message in messages
        }


class _Deadline:
    """Sleeps, but not beyond the end of the given seconds."""

    def __init__(self, seconds: float) -> None:
        self.until = time.monotonic() + seconds

    def __call__(self, seconds: float) -> bool:
        """Raises LookUpTimeout instead of sleeping beyond the end."""
        if time.monotonic() + seconds > self.until:
            raise LookUpTimeout("Not looked up: no time was left.")
        time.sleep(seconds)
        return False


def _look_up(message: OutboxMessage, client: Client, acquire_slot: Callable[[], None]) -> LookUp:
    operation = OPERATIONS[message.operation]
    if message.mode != conf.mode:
        return LookUp(problem=f"Not looked up: the site runs in {conf.mode} mode.")
    if operation.idempotent:
        return LookUp(problem="Not looked up: sending it again does no harm.")
    end = message.in_doubt_since or message.sent_at
    if end is None:
        return LookUp(problem="Not looked up: it was never sent.")
    begin = message.first_sent_at or end
    content = message.content
    try:
        acquire_slot()
        if operation.find is not None:
            found = operation.find(client, content, Search(begin, end, acquire_slot))
            differs = operation.compare(content, found).difference if found is not None else ""
            return LookUp(found=found, differs=differs)
        if operation.find_candidates is not None:
            candidates = operation.find_candidates(
                client, content, message.mode, Search(begin, end, acquire_slot)
            )
            return LookUp(candidates=tuple(candidates))
    except NotSent:
        return LookUp(problem="PartnerStack cannot be reached. Check the network, and open this page again.")
    except PartnerStackError as error:
        return LookUp(problem=str(error))
    return LookUp(problem="Not looked up: PartnerStack cannot be asked for it.")
