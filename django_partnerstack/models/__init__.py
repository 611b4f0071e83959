"""The tables of this app."""

from .attribution import Attribution, AttributionMethod
from .identity import CustomerIdentity, ForgottenCustomer, ReportedKey, Tombstone
from .mirror import Action, Customer, Deal, Group, Lead, Mirror, Partnership, Reward, Transaction
from .outbox import (
    Attempt,
    AttemptKind,
    AttemptOutcome,
    LaneStatus,
    OutboxLane,
    OutboxMessage,
    SourceFailure,
    State,
)
from .sync import ReconciliationRun, SyncSeen, SyncState
from .throttle import ThrottleState
from .webhooks import WebhookCounter, WebhookEvent, WebhookState
from .worker import Worker

__all__ = [
    "Action",
    "Attempt",
    "AttemptKind",
    "AttemptOutcome",
    "Attribution",
    "AttributionMethod",
    "Customer",
    "CustomerIdentity",
    "Deal",
    "ForgottenCustomer",
    "Group",
    "LaneStatus",
    "Lead",
    "Mirror",
    "OutboxLane",
    "OutboxMessage",
    "Partnership",
    "ReconciliationRun",
    "ReportedKey",
    "Reward",
    "SourceFailure",
    "State",
    "SyncSeen",
    "SyncState",
    "ThrottleState",
    "Tombstone",
    "Transaction",
    "WebhookCounter",
    "WebhookEvent",
    "WebhookState",
    "Worker",
]
