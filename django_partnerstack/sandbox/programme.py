"""All resources, in the order in which they refer to each other."""

from __future__ import annotations

from .resource import Resource
from .resources.actions import ACTIONS
from .resources.customers import CUSTOMERS
from .resources.groups import GROUPS
from .resources.partnerships import PARTNERSHIPS
from .resources.rewards import REWARDS
from .resources.transactions import TRANSACTIONS

RESOURCES: dict[str, Resource] = {
    resource.name: resource for resource in (GROUPS, PARTNERSHIPS, CUSTOMERS, TRANSACTIONS, ACTIONS, REWARDS)
}
