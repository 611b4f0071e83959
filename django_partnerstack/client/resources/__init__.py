"""What a client can do with each kind of object."""

from .actions import Actions
from .conversions import Conversions
from .customers import Customers
from .deals import Deals
from .groups import Groups
from .leads import Leads
from .links import Links
from .partnerships import Partnerships
from .rewards import Rewards
from .transactions import Transactions
from .webhooks import Webhooks

__all__ = [
    "Actions",
    "Conversions",
    "Customers",
    "Deals",
    "Groups",
    "Leads",
    "Links",
    "Partnerships",
    "Rewards",
    "Transactions",
    "Webhooks",
]
