from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import validation
from ..api import UNSET, Unset, body, changes
from ..records import CustomerRecord
from .base import Listing, nothing

#: The most characters of a name.
LONGEST_NAME = 100

CHECKS = {
    "customer_key": validation.or_null(validation.key),
    "email": validation.email,
    "partner_key": validation.key,
    "name": validation.text(LONGEST_NAME),
    "provider_key": validation.or_null(validation.key),
    "member_key": validation.key,
    "meta": validation.mapping,
}


class Customers(Listing[CustomerRecord]):
    """
    The customers that partners brought.

    ``get``, ``update`` and ``delete`` accept the site's own key or PartnerStack's (``cus_…``).
    See docs.partnerstack.com/reference/get_v2-customers-2, post_customers and patch_customers.
    """

    def get(self, customer_key: str) -> CustomerRecord:
        """
        One customer. Safe to repeat.

        Raises ``NotFound``, which proves nothing within minutes of the creation.
        """
        return self._request("GET", self._address("customer_key", customer_key))

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
        Create a customer of a partner.

        ``customer_key``: the site's own key, unique in the account. None prevents any later look-up.
        ``partner_key``: the partner's public key, not the ``part_…`` key.
        ``meta``: custom fields by their API names. It is empty in responses; its values are in other fields
        of ``raw``.

        Not safe to repeat: look the customer up by its key first. What PartnerStack answers to a second
        customer with the same key is not documented; expect ``Conflict`` or the first customer.
        """
        fields = body(CHECKS, locals())
        return self._request("POST", self.path, fields)

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
        Change the given fields of a customer. A customer cannot be moved to another partner.

        ``customer_key`` replaces the site's own key. Raises ``NotFound``. Safe to repeat, unless the key
        changed and ``customer`` is the old key.
        """
        fields = changes(CHECKS, locals())
        return self._request("PATCH", self._address("customer_key", customer), fields)

    def delete(self, customer_key: str) -> None:
        """
        Delete a customer. Raises ``NotFound``; safe to repeat.

        Expect the deletion to be final and the key to be unusable for another customer.
        """
        self._api.call("DELETE", self._address("customer_key", customer_key), nothing)
