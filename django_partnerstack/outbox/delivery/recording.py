"""The rows of an attempt: what was sent, what was answered, and the outcome."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ...client import Exchange
from ...mapping import storable
from ...models import AttemptKind, AttemptOutcome, OutboxMessage, State
from ...throttle.clock import Clock
from .outcome import Outcome

LONGEST_LINE = 300


@dataclass
class Step:
    """One sending, or one look-up with all its requests. ``last``: the last of them."""

    kind: AttemptKind
    started_at: datetime
    last: Exchange
    seconds: float = 0
    requests: int = 0

    def add(self, exchange: Exchange) -> None:
        self.last = exchange
        self.seconds += exchange.seconds
        self.requests += 1


class Recording:
    """The requests that a worker sends for one claimed message."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.steps: list[Step] = []

    def add(self, exchange: Exchange) -> None:
        """Record a request that just ended. Only a look-up uses GET; its requests are one step."""
        kind = AttemptKind.LOOK_UP if exchange.method == "GET" else AttemptKind.SEND
        if not self.steps or kind == AttemptKind.SEND or kind != self.steps[-1].kind:
            started_at = self.clock.now() - timedelta(seconds=exchange.seconds)
            self.steps.append(Step(kind, started_at, exchange))
        self.steps[-1].add(exchange)

    def rows(
        self, message: OutboxMessage, outcome: Outcome, *, with_texts: bool = True
    ) -> list[dict[str, Any]]:
        """
        The columns of a row for each step, to be inserted with the outcome.

        A message that fails without a request gets a row as well. One that is released gets none.
        ``with_texts``: with what came from outside.
        """
        if not self.steps and outcome.state == State.FAILED:
            return [self._unsent(message, outcome, with_texts)]
        return [
            {
                **_columns(message),
                "kind": step.kind,
                "started_at": step.started_at,
                "duration": round(step.seconds * 1000),
                "requests": step.requests,
                "request_line": storable(f"{step.last.method} {step.last.path}")[:LONGEST_LINE],
                "status": step.last.status,
                "answer": storable(step.last.answer) if with_texts else "",
                "error": storable(step.last.error) if with_texts else "",
                "outcome": outcome.attempt if step is self.steps[-1] else _before_another(step),
            }
            for step in self.steps
        ]

    def _unsent(self, message: OutboxMessage, outcome: Outcome, with_texts: bool) -> dict[str, Any]:
        lines = outcome.reason.strip().splitlines() if with_texts else []
        return {
            **_columns(message),
            "kind": AttemptKind.SEND,
            "started_at": self.clock.now(),
            "duration": 0,
            "requests": 0,
            "request_line": "",
            "status": None,
            "answer": "",
            "error": storable(lines[-1]) if lines else "",
            "outcome": outcome.attempt,
        }


def _columns(message: OutboxMessage) -> dict[str, Any]:
    return {"message": message.pk, "mode": message.mode, "number": message.attempts}


def _before_another(step: Step) -> AttemptOutcome:
    """A look-up is followed by a sending if it finds nothing, and a sending by the look-up of a conflict."""
    return AttemptOutcome.NOT_FOUND if step.kind == AttemptKind.LOOK_UP else AttemptOutcome.CONFLICT
