"""A client of PartnerStack's vendor API. It does not need Django, so any Python program can use it."""

from .api import Exchange, recorded_by
from .client import Client
from .records import (
    ActionRecord,
    CustomerRecord,
    DealRecord,
    GroupRecord,
    LeadRecord,
    LinkRecord,
    PartnershipRecord,
    Record,
    RewardRecord,
    TransactionRecord,
    WebhookRecord,
)
from .resources.base import Listing, Page
from .retry import RetryPolicy

__all__ = [
    "ActionRecord",
    "Client",
    "CustomerRecord",
    "DealRecord",
    "Exchange",
    "GroupRecord",
    "LeadRecord",
    "LinkRecord",
    "Listing",
    "Page",
    "PartnershipRecord",
    "Record",
    "RetryPolicy",
    "RewardRecord",
    "TransactionRecord",
    "WebhookRecord",
    "recorded_by",
]
