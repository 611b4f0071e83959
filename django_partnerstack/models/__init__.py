from .attribution import Attribution, AttributionMethod
from .mirror import Action, Customer, Deal, Group, Lead, Mirror, Partnership, Reward, Transaction
from .outbox import LaneStatus, OutboxLane, OutboxMessage, State
from .sync import SyncSeen, SyncState
from .throttle import ThrottleState

#: The mirrors by the name of their resource, in the order in which a sync fills them.
MIRRORS: dict[str, type[Mirror]] = {
    "groups": Group,
    "partnerships": Partnership,
    "customers": Customer,
    "transactions": Transaction,
    "deals": Deal,
    "leads": Lead,
    "actions": Action,
    "rewards": Reward,
}

__all__ = [
    "MIRRORS",
    "Action",
    "Attribution",
    "AttributionMethod",
    "Customer",
    "Deal",
    "Group",
    "LaneStatus",
    "Lead",
    "Mirror",
    "OutboxLane",
    "OutboxMessage",
    "Partnership",
    "Reward",
    "State",
    "SyncSeen",
    "SyncState",
    "ThrottleState",
    "Transaction",
]
