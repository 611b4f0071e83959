"""Push: what this site has to tell PartnerStack, once each, whatever happens on the way."""

from .drafts import customer_draft, event_draft, skipped_draft, transaction_draft
from .enqueue import Draft, customer_lane, enqueue, partnership_lane
from .operations import OPERATIONS, SAVE_CUSTOMER
from .operators import NotPossible, cancel, hold, mark_delivered, release, retry
from .prune import prune
from .push import worker
from .refunds import RefundError, what_is_left
from .worker import Worker

__all__ = [
    "OPERATIONS",
    "SAVE_CUSTOMER",
    "Draft",
    "NotPossible",
    "RefundError",
    "Worker",
    "cancel",
    "customer_draft",
    "customer_lane",
    "enqueue",
    "event_draft",
    "hold",
    "mark_delivered",
    "partnership_lane",
    "prune",
    "release",
    "retry",
    "skipped_draft",
    "transaction_draft",
    "what_is_left",
    "worker",
]
