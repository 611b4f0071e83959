"""PartnerStack over HTTP. Knows nothing of Django: it works in any Python program."""

from .client import Client
from .pages import Page
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
