"""
The resources that this app mirrors, each declared once.

The sync, the refresh, the choices of ``partnerstack_sync``, the mode evidence and the admin follow from a
declaration. To add a resource, write its record (``client/records.py``) and its model (``models/mirror.py``),
and declare both here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .client import (
    ActionRecord,
    CustomerRecord,
    DealRecord,
    GroupRecord,
    LeadRecord,
    PartnershipRecord,
    Record,
    RewardRecord,
    TransactionRecord,
)
from .models import Action, Customer, Deal, Group, Lead, Mirror, Partnership, Reward, Transaction


@dataclass(frozen=True, kw_only=True)
class Resource:
    """
    A list of PartnerStack's API, and the model that mirrors its objects.

    ``since``: the filter that selects new objects: ``min_updated`` or ``min_created``.
    ``lists``: the filters of each list that a sync reads. Together they must contain every object.
    ``readable``: PartnerStack returns a single object by its key, so an operator can refresh it.
    """

    record: type[Record]
    model: type[Mirror]
    since: str = "min_updated"
    lists: tuple[Mapping[str, Any], ...] = ({},)
    readable: bool = False

    @property
    def name(self) -> str:
        """The attribute of the client, the argument of ``partnerstack_sync`` and ``SyncState.resource``."""
        return self.record.resource

    @property
    def time_field(self) -> str:
        return "updated_at" if self.since == "min_updated" else "created_at"


#: By name, in the order of a sync.
RESOURCES: dict[str, Resource] = {
    resource.name: resource
    for resource in (
        Resource(record=GroupRecord, model=Group),
        Resource(
            record=PartnershipRecord, model=Partnership, lists=({"include_archived": True},), readable=True
        ),
        Resource(record=CustomerRecord, model=Customer, readable=True),
        # PartnerStack filters transactions and rewards by creation only, so an incremental sync does not see
        # a change: the next full sync does.
        Resource(record=TransactionRecord, model=Transaction, since="min_created"),
        Resource(record=DealRecord, model=Deal, readable=True),
        Resource(record=LeadRecord, model=Lead, readable=True),
        Resource(record=ActionRecord, model=Action),
        # PartnerStack does not document whether a list without a status contains scheduled rewards.
        Resource(record=RewardRecord, model=Reward, since="min_created", lists=({}, {"status": "scheduled"})),
    )
}


def of_model(model: type[Mirror]) -> Resource:
    """The resource that a model mirrors. Raises ``LookupError`` if none is declared."""
    for resource in RESOURCES.values():
        if resource.model is model:
            return resource
    raise LookupError(f"{model.__name__} is the model of no resource in resources.RESOURCES.")
