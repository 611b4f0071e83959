from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .. import validation
from ..api import UNSET, Api, Unset, body, changes, query
from ..records import LinkRecord, PartnershipRecord
from ..validation import or_null, path_segment
from .base import Listing, Page, nothing, paginate, read_page

CHECKS = {
    "email": validation.email,
    "first_name": validation.text(50),
    "last_name": validation.text(50),
    "group_key": validation.key,
    "partner_key": validation.key,
    "tier_key": validation.key,
    "manager_email": or_null(validation.text()),
    "manager_name": or_null(validation.text()),
    "tags": or_null(validation.strings),
    "fields": validation.field_objects,
}


class Partnerships(Listing[PartnershipRecord]):
    """
    The partners of the programme.

    ``fields`` are PartnerStack's own field objects. The requests for tags, team members and moving several
    partners to a group are not documented in full: use ``Client.request`` for them.
    See docs.partnerstack.com/reference/get_v2-partnerships-2 and post_partnerships-1.
    """

    def get(self, identifier: str) -> PartnershipRecord:
        """
        One partner, by partner key, ``part_…`` key or e-mail address. Raises ``NotFound``; safe to repeat.

        If the client's ``api_url`` ends in ``/v1``, only the partner key works.
        """
        return self._request("GET", self._address("identifier", identifier))

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
        Create a partner, in the default group unless ``group_key`` is given.

        ``partner_key``: the public key, unique in the programme. PartnerStack generates it if it is omitted.

        Not safe to repeat: look the partner up by e-mail address first.
        """
        given = body(CHECKS, locals())
        return self._request("POST", self.path, given)

    def update(
        self,
        partnership_key: str,
        *,
        group_key: str | Unset = UNSET,
        manager_email: str | Unset | None = UNSET,
        tier_key: str | Unset = UNSET,
        fields: Sequence[Mapping[str, Any]] | Unset = UNSET,
    ) -> PartnershipRecord:
        """
        Change the given fields of a partner, by its ``part_…`` key. Raises ``NotFound``; safe to repeat.

        The e-mail address and the partner key cannot be changed.
        """
        given = changes(CHECKS, locals())
        return self._request("PATCH", self._address("partnership_key", partnership_key), given)

    def archive(self, partnership_key: str) -> None:
        """Archive a partner, by its ``part_…`` key. Raises ``NotFound``; safe to repeat."""
        self._api.call("DELETE", self._address("partnership_key", partnership_key), nothing)


class Links:
    """
    The links of one partner, by partner key, ``part_…`` key or e-mail address.

    It is not documented whether this list accepts the filters of the others, so none is sent by default.
    """

    def __init__(self, api: Api) -> None:
        self._api = api

    def list(self, identifier: str, **filters: Any) -> Page[LinkRecord]:
        """The first page of the partner's links. Safe to repeat."""
        path = f"/links/partnership/{path_segment('identifier', identifier)}"
        return self._api.call("GET", path, lambda data: read_page(LinkRecord, data), params=query(filters))

    def iterate(self, identifier: str, **filters: Any) -> Iterator[LinkRecord]:
        """All links of the partner. Raises the ``RecordError`` of an unusable link in its place."""
        path_segment("identifier", identifier)
        pages = paginate(lambda cursor: self.list(identifier, starting_after=cursor, **filters), None)
        return (record for page in pages for record in page)
