"""A client of PartnerStack's vendor API. It does not need Django, so any Python program can use it."""

from .client import Client
from .records import (
    ActionRecord,
    CustomerRecord,
    DealRecord,
    GroupRecord,
    LeadRecord,
    LinkRecord,
    PartnershipRecord,
    RewardRecord,
    TransactionRecord,
    WebhookRecord,
)
from .resources.base import Page

__all__ = [
    "ActionRecord",
    "Client",
    "CustomerRecord",
    "DealRecord",
    "GroupRecord",
    "LeadRecord",
    "LinkRecord",
    "Page",
    "PartnershipRecord",
    "RewardRecord",
    "TransactionRecord",
    "WebhookRecord",
]
