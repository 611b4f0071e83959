from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .. import validation
from ..api import UNSET, Unset, body, changes
from ..records import CustomerRecord, LeadRecord
from ..validation import or_null
from .base import Listing, nothing, to_record

CHECKS = {
    "external_key": validation.key,
    "partner_key": validation.key,
    "status": validation.choice("open", "closed", "dead", "closed won", "closed lost"),
    "amount": or_null(validation.deal_amount),
    "approved": or_null(validation.boolean),
    "meta": or_null(validation.mapping),
    "fields": validation.field_objects,
    "group_key": validation.key,
    "mold_key": or_null(validation.key),
}
CONVERT_CHECKS = {"email": validation.email, "customer_key": validation.key}


class Leads(Listing[LeadRecord]):
    """
    Possible customers.

    A ``lead_key`` argument is PartnerStack's key or the lead's ``external_key``. ``amount`` is in cents.
    ``status`` is ``open`` (New in the dashboard), ``closed`` (Qualified), ``dead`` (Unqualified),
    ``closed won`` or ``closed lost``. ``fields`` are PartnerStack's own field objects;
    ``Client.request("GET", "/leads/form-templates")`` lists them.
    See docs.partnerstack.com/reference/post_leads-1 and patch_leads.
    """

    def get(self, lead_key: str) -> LeadRecord:
        """One lead. Raises ``NotFound``; safe to repeat."""
        return self._request("GET", self._address("lead_key", lead_key))

    def create(
        self,
        *,
        external_key: str,
        partner_key: str,
        status: str,
        meta: Mapping[str, Any] | Unset | None = UNSET,
        amount: int | Unset | None = UNSET,
        approved: bool | Unset | None = UNSET,
        fields: Sequence[Mapping[str, Any]] | Unset = UNSET,
        group_key: str | Unset = UNSET,
        mold_key: str | Unset | None = UNSET,
    ) -> LeadRecord:
        """
        Create a lead of a partner.

        ``external_key``: the site's own key, unique in the account. First and last name belong in ``meta``,
        which some programmes require, or in ``fields``.

        Not safe to repeat: look the lead up by its ``external_key`` first.
        """
        given = body(CHECKS, locals())
        return self._request("POST", self.path, given)

    def update(
        self,
        lead_key: str,
        *,
        external_key: str | Unset = UNSET,
        partner_key: str | Unset = UNSET,
        status: str | Unset = UNSET,
        meta: Mapping[str, Any] | Unset | None = UNSET,
        amount: int | Unset | None = UNSET,
        approved: bool | Unset | None = UNSET,
        fields: Sequence[Mapping[str, Any]] | Unset = UNSET,
    ) -> LeadRecord:
        """Change the given fields of a lead. Raises ``NotFound``; safe to repeat."""
        given = changes(CHECKS, locals())
        return self._request("PATCH", self._address("lead_key", lead_key), given)

    def archive(self, lead_key: str) -> None:
        """Archive a lead. Raises ``NotFound``; safe to repeat."""
        self._api.call("DELETE", self._address("lead_key", lead_key), nothing)

    def convert(self, lead_key: str, *, email: str, customer_key: str | Unset = UNSET) -> CustomerRecord:
        """
        Create a customer from a lead. ``customer_key`` is the site's own key of the customer.

        Not safe to repeat: look the customer up by its key first.
        """
        fields = body(CONVERT_CHECKS, locals())
        path = f"{self._address('lead_key', lead_key)}/convert"
        return self._api.call("POST", path, to_record(CustomerRecord), json=fields)
