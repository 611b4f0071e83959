"""What there is to pull, and how PartnerStack lets one ask for what is new."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..models import MIRRORS, Mirror


@dataclass(frozen=True)
class Resource:
    """
    One resource as the sync walks it.

    ``since``: the filter that asks for what is new. ``lists``: the filters of each list that must be
    walked, one after the other, to see every object.
    """

    name: str
    since: str = "min_updated"
    lists: tuple[Mapping[str, Any], ...] = ({},)

    @property
    def model(self) -> type[Mirror]:
        return MIRRORS[self.name]

    @property
    def age_field(self) -> str:
        """The field of a record that the ``since`` filter compares."""
        return "updated_at" if self.since == "min_updated" else "created_at"


RESOURCES: dict[str, Resource] = {
    resource.name: resource
    for resource in (
        Resource("groups"),
        Resource("partnerships", lists=({"include_archived": True},)),
        Resource("customers"),
        # PartnerStack filters these two by creation alone: a change shows in the next full sync.
        Resource("transactions", since="min_created"),
        Resource("deals"),
        Resource("leads"),
        Resource("actions"),
        # Whether scheduled rewards are in the list without a status is not documented.
        Resource("rewards", since="min_created", lists=({}, {"status": "scheduled"})),
    )
}
