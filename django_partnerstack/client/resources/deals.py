from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any, TypeVar

from .. import validation
from ..api import UNSET, Unset, body, changes, exactly_one
from ..records import CustomerRecord, DealRecord
from ..replies import Malformed
from ..validation import or_null, path_segment
from .base import Listing, nothing, to_record

T = TypeVar("T")

OWNER_CHECKS = {"partner_key": validation.key, "group_key": validation.key}
CHECKS = {
    "account_name": or_null(validation.text()),
    "amount": validation.deal_amount,
    "close_date": or_null(validation.iso_date),
    "contact_first_name": or_null(validation.text()),
    "contact_last_name": or_null(validation.text()),
    "customer_key": or_null(validation.key),
    "external_key": or_null(validation.key),
    "fields": validation.field_objects,
    "meta": or_null(validation.mapping),
    "mold_key": or_null(validation.key),
    "stage": validation.text(),
}
CONVERT_CHECKS = {"email": validation.email, "customer_key": validation.key}


class Deals(Listing[DealRecord]):
    """
    Sales that are being negotiated.

    A ``deal_key`` argument is PartnerStack's key or the deal's ``external_key``. ``fields`` are
    PartnerStack's own field objects; ``Client.request("GET", "/deals/form-templates")`` lists them.
    See docs.partnerstack.com/reference/patch_deals.
    """

    def get(self, deal_key: str) -> DealRecord:
        """One deal. Raises ``NotFound``; safe to repeat."""
        return self._request("GET", self._address("deal_key", deal_key))

    def create(
        self,
        *,
        partner_key: str | None = None,
        group_key: str | None = None,
        account_name: str | Unset | None = UNSET,
        amount: int | Unset = UNSET,
        close_date: date | str | Unset | None = UNSET,
        contact_first_name: str | Unset | None = UNSET,
        contact_last_name: str | Unset | None = UNSET,
        customer_key: str | Unset | None = UNSET,
        external_key: str | Unset | None = UNSET,
        fields: Sequence[Mapping[str, Any]] | Unset = UNSET,
        meta: Mapping[str, Any] | Unset | None = UNSET,
        mold_key: str | Unset | None = UNSET,
        stage: str | Unset = UNSET,
    ) -> DealRecord:
        """
        Create a deal of a partner (``partner_key``), or of the vendor for a group (``group_key``).

        Give exactly one of the two; the deal's source follows from it. ``amount`` is in cents. ``close_date``
        is a date or a string like ``2025-12-31``.

        Not safe to repeat: look the deal up by its ``external_key`` first.
        """
        owner = exactly_one(partner_key=partner_key, group_key=group_key)
        source = "partner" if "partner_key" in owner else "vendor"
        given = {**body(OWNER_CHECKS, owner), "source": source, **body(CHECKS, locals())}
        return self._request("POST", self.path, given)

    def update(
        self,
        deal_key: str,
        *,
        account_name: str | Unset | None = UNSET,
        amount: int | Unset = UNSET,
        close_date: date | str | Unset | None = UNSET,
        contact_first_name: str | Unset | None = UNSET,
        contact_last_name: str | Unset | None = UNSET,
        customer_key: str | Unset | None = UNSET,
        external_key: str | Unset | None = UNSET,
        fields: Sequence[Mapping[str, Any]] | Unset = UNSET,
        meta: Mapping[str, Any] | Unset | None = UNSET,
        mold_key: str | Unset | None = UNSET,
        stage: str | Unset = UNSET,
    ) -> DealRecord:
        """Change the given fields of a deal. Raises ``NotFound``; safe to repeat."""
        given = changes(CHECKS, locals())
        return self._request("PATCH", self._address("deal_key", deal_key), given)

    def archive(self, deal_key: str) -> None:
        """Archive a deal. Raises ``NotFound``; safe to repeat."""
        self._api.call("DELETE", self._address("deal_key", deal_key), nothing)

    def convert(self, deal_key: str, *, email: str, customer_key: str | Unset = UNSET) -> CustomerRecord:
        """
        Create a customer from a deal. ``customer_key`` is the site's own key of the customer.

        Not safe to repeat: look the customer up by its key first.
        """
        fields = body(CONVERT_CHECKS, locals())
        path = f"{self._address('deal_key', deal_key)}/convert"
        return self._api.call("POST", path, to_record(CustomerRecord), json=fields)

    def assign(self, deal_key: str, partnership_key: str, team_key: str) -> None:
        """Give a deal to a partner. ``team_key``: the ``stck_…`` key of the partner's team."""
        partner = f"{path_segment('partnership_key', partnership_key)}/{path_segment('team_key', team_key)}"
        path = f"{self._address('deal_key', deal_key)}/assignment/{partner}"
        self._api.call("POST", path, nothing, root=True)

    def files(self, deal_key: str) -> list[dict[str, Any]]:
        """The ``key``, ``name`` and ``field_key`` of each file of a deal. Safe to repeat."""
        return self._api.call(
            "GET", f"{self._address('deal_key', deal_key)}/files", _member("deal_files", list)
        )

    def file_url(self, deal_key: str, file_key: str) -> str:
        """The URL of a file of a deal. Safe to repeat."""
        path = f"{self._address('deal_key', deal_key)}/file/{path_segment('file_key', file_key)}"
        return self._api.call("GET", path, _member("url", str), root=True)


def _member(name: str, kind: type[T]) -> Callable[[Any], T]:
    """Converts the data of a response to a member, which is required."""

    def convert(data: Any) -> T:
        member = data.get(name) if isinstance(data, dict) else None
        if not isinstance(member, kind):
            raise Malformed(f"the response has no {name}")
        return member

    return convert
