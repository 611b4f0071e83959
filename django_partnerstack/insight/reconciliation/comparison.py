"""What all comparisons share: the mode, what the mirror can prove, and where the results go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ...conf import conf
from ...identity.customers import DEFAULT_KEY
from ...models import OutboxMessage, State
from .ledger import Ledger
from .tally import LONGEST_DETAIL, Tally

#: Groups that are compared at a time, with the same number of queries.
PAGE = 500

#: A worker sends messages in these states.
ON_THEIR_WAY = (State.QUEUED, State.SCHEDULED, State.SENDING, State.UNCONFIRMED)
#: Nothing sends messages in these states before somebody acts.
STUCK = (State.FAILED, State.ON_HOLD, State.BLOCKED)


@dataclass(frozen=True)
class LastMessage:
    """``at``: when it was finished, in seconds."""

    operation: str
    state: str
    at: float | None
    reason: str

    @property
    def in_words(self) -> str:
        """The last line of the reason says why."""
        reason = self.reason.strip().splitlines()[-1:] or [""]
        return f"{self.operation} is {State(self.state).label}. {reason[0]}".strip()[:LONGEST_DETAIL]


@dataclass(frozen=True)
class Comparison:
    """
    ``judged_until``: by resource; "not there" proves nothing about what was reported later.
    ``full_sync``: when the last full sync of transactions completed. Times are in seconds.
    """

    mode: str
    using: str
    ledger: Ledger
    tally: Tally
    since: float | None
    judged_until: dict[str, float]
    full_sync: float | None

    def is_older(self, *times: float | None) -> bool:
        """Whether the first known of these times is before the time of interest."""
        at = next((time for time in times if time is not None), None)
        return self.since is not None and at is not None and at < self.since

    def is_too_new(self, resource: str, at: float | None) -> bool:
        return at is not None and at > self.judged_until[resource]

    def is_of_another_site(self, customer_key: str) -> bool:
        """Whether an unknown customer key lacks the prefix that all keys of this site have."""
        prefix = conf.key_prefix if conf.customer_key == DEFAULT_KEY else ""
        return bool(customer_key) and not customer_key.startswith(prefix)

    def messages(self, subjects: Sequence[str], operations: Sequence[str], *columns: str) -> list[Any]:
        """These columns of the messages about these subjects, the oldest first."""
        rows = OutboxMessage.objects.using(self.using).filter(
            mode=self.mode, subject__in=subjects, operation__in=operations
        )
        return list(rows.order_by("pk").values_list("subject", *columns)) if subjects else []


def seconds(when: datetime | None) -> float | None:
    return when.timestamp() if when else None
