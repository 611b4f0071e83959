"""All resources, in the order in which they refer to each other."""

from __future__ import annotations

from .resource import Resource
from .resources.actions import ACTIONS
from .resources.customers import CUSTOMERS
from .resources.deals import DEALS
from .resources.form_templates import FORM_TEMPLATES
from .resources.groups import GROUPS
from .resources.leads import LEADS
from .resources.partnerships import PARTNERSHIPS
from .resources.rewards import REWARDS
from .resources.transactions import TRANSACTIONS
from .resources.webhooks import WEBHOOKS

RESOURCES: dict[str, Resource] = {
    resource.name: resource
    for resource in (
        GROUPS,
        FORM_TEMPLATES,
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
