"""What a client can do with each list of the API."""

from typing import Any

from .actions import Actions
from .base import Listing
from .conversions import Conversions
from .customers import Customers
from .deals import Deals
from .leads import Leads
from .partnerships import Links, Partnerships
from .rewards import Rewards
from .transactions import Transactions
from .webhooks import Webhooks

__all__ = [
    "RESOURCES",
    "Actions",
    "Conversions",
    "Customers",
    "Deals",
    "Leads",
    "Links",
    "Listing",
    "Partnerships",
    "Rewards",
    "Transactions",
    "Webhooks",
]

#: The class of each list that the API can do more with. Any other list is a plain ``Listing``.
RESOURCES: dict[str, type[Listing[Any]]] = {
    "actions": Actions,
    "customers": Customers,
    "deals": Deals,
    "leads": Leads,
    "partnerships": Partnerships,
    "rewards": Rewards,
    "transactions": Transactions,
    "webhooks": Webhooks,
}
