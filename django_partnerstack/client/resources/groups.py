from __future__ import annotations

from ..records import GroupRecord
from .listing import Listing


class Groups(Listing[GroupRecord]):
    """The groups that partners are in. They can be read only."""

    path = "/groups"
    record = GroupRecord
