from .attribution import Attribution, Way
from .mirror import Action, Customer, Deal, Group, Lead, Mirror, Partnership, Reward, Transaction
from .outbox import OutboxConnection, OutboxLane, OutboxMessage, Standing, State
from .sync import SyncSeen, SyncState

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
    "Customer",
    "Deal",
    "Group",
    "Lead",
    "Mirror",
    "OutboxConnection",
    "OutboxLane",
    "OutboxMessage",
    "Partnership",
    "Reward",
    "Standing",
    "State",
    "SyncSeen",
    "SyncState",
    "Transaction",
    "Way",
]
