from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .. import payloads
from ..arguments import segment
from ..payloads import UNSET, Unset, or_null
from ..records import PartnershipRecord
from .listing import Listing, nothing, one

CHECKS = {
    "email": payloads.email,
    "first_name": payloads.text(50),
    "last_name": payloads.text(50),
    "group_key": payloads.key,
    "partner_key": payloads.key,
    "tier_key": payloads.key,
    "manager_email": or_null(payloads.text()),
    "manager_name": or_null(payloads.text()),
    "tags": or_null(payloads.texts),
    "fields": payloads.field_objects,
}


class Partnerships(Listing[PartnershipRecord]):
    """
    Source: docs.partnerstack.com/reference/post_partnerships-1.

    The bodies for tags, team members and moving many partners to a group are not documented: use
    ``Client.request``.
    """

    path = "/partnerships"
    record = PartnershipRecord

    def get(self, identifier: str) -> PartnershipRecord:
        """
        One partner, by partner key, ``part_…`` key or e-mail address.

        With an ``api_url`` that ends in ``/v1`` the partner key alone works.
        """
        return self._api.call("GET", self._address("identifier", identifier), one(self.record))

    def create(
        self,
        *,
        email: str,
        first_name: str | Unset = UNSET,
        last_name: str | Unset = UNSET,
        group_key: str | Unset = UNSET,
        partner_key: str | Unset = UNSET,
        manager_email: str | Unset | None = UNSET,
        manager_name: str | Unset | None = UNSET,
        tags: Sequence[str] | Unset | None = UNSET,
        fields: Sequence[Mapping[str, Any]] | Unset = UNSET,
    ) -> PartnershipRecord:
        """
        A new partner, in the default group if none is named.

        ``partner_key`` is the public handle and unique in the programme; PartnerStack makes one if it is
        not given. ``fields``: custom fields, as PartnerStack's own field objects.
        """
        body = payloads.body(
            CHECKS,
            email=email,
            first_name=first_name,
            last_name=last_name,
            group_key=group_key,
            partner_key=partner_key,
            manager_email=manager_email,
            manager_name=manager_name,
            tags=tags,
            fields=fields,
        )
        return self._api.call("POST", self.path, one(self.record), json=body)

    def update(
        self,
        partnership_key: str,
        *,
        group_key: str | Unset = UNSET,
        manager_email: str | Unset | None = UNSET,
        tier_key: str | Unset = UNSET,
        fields: Sequence[Mapping[str, Any]] | Unset = UNSET,
    ) -> PartnershipRecord:
        """Change a partner, by its ``part_…`` key. Its e-mail and partner key cannot be changed."""
        body = payloads.changes(
            CHECKS, group_key=group_key, manager_email=manager_email, tier_key=tier_key, fields=fields
        )
        return self._api.call(
            "PATCH", self._address("partnership_key", partnership_key), one(self.record), json=body
        )

    def archive(self, partnership_key: str) -> None:
        """Archive a partner, by its ``part_…`` key."""
        self._api.call("DELETE", self._address("partnership_key", partnership_key), nothing)

    def _address(self, name: str, key: str) -> str:
        return f"{self.path}/{segment(name, key)}"
