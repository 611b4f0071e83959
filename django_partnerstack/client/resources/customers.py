from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import payloads
from ..arguments import segment
from ..payloads import UNSET, Unset, or_null
from ..records import CustomerRecord
from .listing import Listing, nothing, one

CHECKS = {
    "customer_key": or_null(payloads.key),
    "email": payloads.email,
    "partner_key": payloads.key,
    "name": payloads.text(100),
    "provider_key": or_null(payloads.key),
    "member_key": payloads.key,
    "meta": payloads.mapping,
}


class Customers(Listing[CustomerRecord]):
    """Source: docs.partnerstack.com/reference/post_customers and patch_customers."""

    path = "/customers"
    record = CustomerRecord

    def get(self, customer_key: str) -> CustomerRecord:
        """
        One customer, by the site's own key or PartnerStack's.

        ``NotFound`` within minutes of its creation does not prove that it is not there.
        """
        return self._api.call("GET", self._address(customer_key), one(self.record))

    def create(
        self,
        *,
        customer_key: str | None,
        email: str,
        partner_key: str,
        name: str | Unset = UNSET,
        provider_key: str | Unset | None = UNSET,
        member_key: str | Unset = UNSET,
        meta: Mapping[str, Any] | Unset = UNSET,
    ) -> CustomerRecord:
        """
        A new customer of a partner.

        ``customer_key``: the site's own key, unique in the account; None only if the site has none, and then
        the customer cannot be found again by it. ``partner_key``: not the ``part_…`` key. ``meta``: custom
        fields by their API names; it comes back empty, its values are in other fields of ``raw``.
        What a second customer with the same key gives is not documented: expect ``Conflict`` or the first.
        """
        body = payloads.body(
            CHECKS,
            customer_key=customer_key,
            email=email,
            partner_key=partner_key,
            name=name,
            provider_key=provider_key,
            member_key=member_key,
            meta=meta,
        )
        return self._api.call("POST", self.path, one(self.record), json=body)

    def update(
        self,
        customer: str,
        *,
        customer_key: str | Unset | None = UNSET,
        email: str | Unset = UNSET,
        name: str | Unset = UNSET,
        provider_key: str | Unset | None = UNSET,
        member_key: str | Unset = UNSET,
        meta: Mapping[str, Any] | Unset = UNSET,
    ) -> CustomerRecord:
        """
        Change a customer, found by either key; what is not given stays as it is.

        ``customer_key`` is a new key of the site's. A customer cannot be moved to another partner.
        """
        body = payloads.changes(
            CHECKS,
            customer_key=customer_key,
            email=email,
            name=name,
            provider_key=provider_key,
            member_key=member_key,
            meta=meta,
        )
        return self._api.call("PATCH", self._address(customer), one(self.record), json=body)

    def delete(self, customer_key: str) -> None:
        """Delete a customer. Take it as final, and its key as used up."""
        self._api.call("DELETE", self._address(customer_key), nothing)

    def _address(self, customer_key: str) -> str:
        return f"{self.path}/{segment('customer_key', customer_key)}"
