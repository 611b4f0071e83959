from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .. import payloads
from ..arguments import segment
from ..payloads import INT32, UNSET, Unset, or_null
from ..records import CustomerRecord, LeadRecord
from .listing import Listing, nothing, one

CHECKS = {
    "external_key": payloads.key,
    "partner_key": payloads.key,
    "status": payloads.choice("open", "closed", "dead", "closed won", "closed lost"),
    "amount": or_null(payloads.whole(-INT32 - 1, INT32)),
    "approved": or_null(payloads.boolean),
    "meta": or_null(payloads.mapping),
    "fields": payloads.field_objects,
    "group_key": payloads.key,
    "mold_key": or_null(payloads.key),
}
CONVERT_CHECKS = {"email": payloads.email, "customer_key": payloads.key}


class Leads(Listing[LeadRecord]):
    """
    A ``lead_key`` may be PartnerStack's key or the lead's ``external_key``.

    The dashboard calls the status ``open`` New, ``closed`` Qualified and ``dead`` Unqualified. ``amount`` is
    in cents. Source: docs.partnerstack.com/reference/post_leads-1 and patch_leads. ``Client.request`` reads
    ``/leads/form-templates``.
    """

    path = "/leads"
    record = LeadRecord

    def get(self, lead_key: str) -> LeadRecord:
        return self._api.call("GET", self._address(lead_key), one(self.record))

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
        A new lead of a partner.

        ``external_key`` is the site's own and unique in the account. First and last name go into ``meta``,
        which some programmes require, or into ``fields``.
        """
        body = payloads.body(
            CHECKS,
            external_key=external_key,
            partner_key=partner_key,
            status=status,
            meta=meta,
            amount=amount,
            approved=approved,
            fields=fields,
            group_key=group_key,
            mold_key=mold_key,
        )
        return self._api.call("POST", self.path, one(self.record), json=body)

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
        """Change a lead; what is not given stays as it is."""
        body = payloads.changes(
            CHECKS,
            external_key=external_key,
            partner_key=partner_key,
            status=status,
            meta=meta,
            amount=amount,
            approved=approved,
            fields=fields,
        )
        return self._api.call("PATCH", self._address(lead_key), one(self.record), json=body)

    def archive(self, lead_key: str) -> None:
        self._api.call("DELETE", self._address(lead_key), nothing)

    def convert(self, lead_key: str, *, email: str, customer_key: str | Unset = UNSET) -> CustomerRecord:
        """Make a customer of a lead, under the site's own ``customer_key``."""
        body = payloads.body(CONVERT_CHECKS, email=email, customer_key=customer_key)
        return self._api.call("POST", f"{self._address(lead_key)}/convert", one(CustomerRecord), json=body)

    def _address(self, lead_key: str) -> str:
        return f"{self.path}/{segment('lead_key', lead_key)}"
