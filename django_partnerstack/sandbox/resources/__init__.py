"""
The resources of the sandbox.

A new resource is a module with a declaration (see ``sandbox.api.resource.Resource``) and its entry here.
"""

from __future__ import annotations

from ..api.resource import Resource
from .actions import ACTIONS
from .customers import CUSTOMERS
from .deals import DEALS
from .groups import GROUPS
from .leads import LEADS
from .partnerships import PARTNERSHIPS
from .rewards import REWARDS
from .transactions import TRANSACTIONS
from .webhooks import WEBHOOKS

#: By name, in the order of seeding: each may refer to those before it.
RESOURCES: dict[str, Resource] = {
    resource.name: resource
    for resource in (
        GROUPS,
        PARTNERSHIPS,
        CUSTOMERS,
        TRANSACTIONS,
        ACTIONS,
        REWARDS,
        DEALS,
        LEADS,
        WEBHOOKS,
    )
}
