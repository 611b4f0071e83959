from __future__ import annotations

from ..arguments import segment
from ..records import CustomerRecord
from .listing import Listing, one


class Customers(Listing[CustomerRecord]):
    path = "/customers"
    record = CustomerRecord

    def get(self, customer_key: str) -> CustomerRecord:
        """One customer, by the site's own key or PartnerStack's."""
        return self._api.call("GET", f"{self.path}/{segment('customer_key', customer_key)}", one(self.record))
