"""Push: what this site has to tell PartnerStack, once each, whatever happens on the way."""

from .at_once import Pushed, lane_of, push_at_once
from .drafts import (
    customer_draft,
    draft_of,
    event_draft,
    reference,
    skipped_draft,
    transaction_draft,
)
from .enqueue import Draft, customer_lane, enqueue, partnership_lane
from .lookup import LookUp, look_up
from .opening import open_line
from .operations import OPERATIONS, SAVE_CUSTOMER
from .operators import POSSIBLE, NotPossible, cancel, hold, mark_delivered, release, retry
from .prune import prune
from .push import worker
from .reconsider import credit_anew, reconsider
from .refunds import RefundError, what_is_left
from .trouble import Trouble, trouble
from .worker import Worker

__all__ = [
    "OPERATIONS",
    "POSSIBLE",
    "SAVE_CUSTOMER",
    "Draft",
    "LookUp",
    "NotPossible",
    "Pushed",
    "RefundError",
    "Trouble",
    "Worker",
    "cancel",
    "credit_anew",
    "customer_draft",
    "customer_lane",
    "draft_of",
    "enqueue",
    "event_draft",
    "hold",
    "lane_of",
    "look_up",
    "mark_delivered",
    "open_line",
    "partnership_lane",
    "prune",
    "push_at_once",
    "reconsider",
    "reference",
    "release",
    "retry",
    "skipped_draft",
    "transaction_draft",
    "trouble",
    "what_is_left",
    "worker",
]
