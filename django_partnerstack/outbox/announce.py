"""Telling the host what became of a message, once that is committed."""

from __future__ import annotations

from typing import Any

from ..models import OutboxMessage, State
from ..signals import customer_pushed, push_failed, transaction_pushed
from .outcome import Outcome

PUSHED = {
    "customers": customer_pushed,
    "conversions": customer_pushed,
    "transactions": transaction_pushed,
}


def announce(message: OutboxMessage, outcome: Outcome) -> None:
    """An error in a receiver is logged and stops nobody."""
    about: dict[str, Any] = {
        "mode": message.mode,
        "operation": message.operation,
        "key": message.subject,
        "message": message.pk,
    }
    resource = message.operation.split(".")[0]
    if outcome.state == State.DELIVERED and resource in PUSHED:
        PUSHED[resource].send_robust(sender=OutboxMessage, record=outcome.record, **about)
    if outcome.state in (State.DEAD, State.HELD):
        push_failed.send_robust(
            sender=OutboxMessage, state=str(outcome.state), reason=outcome.reason, **about
        )
