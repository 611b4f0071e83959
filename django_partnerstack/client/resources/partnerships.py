from __future__ import annotations

from ..arguments import segment
from ..records import PartnershipRecord
from .listing import Listing, one


class Partnerships(Listing[PartnershipRecord]):
    path = "/partnerships"
    record = PartnershipRecord

    def get(self, identifier: str) -> PartnershipRecord:
        """
        One partner, by partner key, ``part_…`` key or e-mail address.

        With an ``api_url`` that ends in ``/v1`` the partner key alone works.
        """
        return self._api.call("GET", f"{self.path}/{segment('identifier', identifier)}", one(self.record))
