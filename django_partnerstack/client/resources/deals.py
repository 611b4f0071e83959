from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from .. import payloads
from ..arguments import segment
from ..parsing import Malformed
from ..payloads import INT32, UNSET, Unset, or_null
from ..records import CustomerRecord, DealRecord
from .listing import Listing, nothing, one

CHECKS = {
    "partner_key": payloads.key,
    "group_key": payloads.key,
    "source": payloads.choice("partner", "vendor"),
    "account_name": or_null(payloads.text()),
    "amount": payloads.whole(-INT32 - 1, INT32),
    "close_date": or_null(payloads.day),
    "contact_first_name": or_null(payloads.text()),
    "contact_last_name": or_null(payloads.text()),
    "customer_key": or_null(payloads.key),
    "external_key": or_null(payloads.key),
    "fields": payloads.field_objects,
    "meta": or_null(payloads.mapping),
    "mold_key": or_null(payloads.key),
    "stage": payloads.text(),
}
CONVERT_CHECKS = {"email": payloads.email, "customer_key": payloads.key}


class Deals(Listing[DealRecord]):
    """
    A ``deal_key`` may be PartnerStack's key or the deal's ``external_key``.

    Source: docs.partnerstack.com/reference/patch_deals. ``Client.request`` reads ``/deals/form-templates``.
    """

    path = "/deals"
    record = DealRecord

    def get(self, deal_key: str) -> DealRecord:
        return self._api.call("GET", self._address(deal_key), one(self.record))

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
        A new deal of a partner (``partner_key``), or of the vendor for a group (``group_key``).

        Exactly one of the two is given; the deal's source follows from it. ``amount`` is in cents.
        """
        owners = {"partner_key": partner_key, "group_key": group_key}
        owner = payloads.exactly_one(**owners)
        body = payloads.body(
            CHECKS,
            **{owner: owners[owner]},
            source="partner" if owner == "partner_key" else "vendor",
            account_name=account_name,
            amount=amount,
            close_date=close_date,
            contact_first_name=contact_first_name,
            contact_last_name=contact_last_name,
            customer_key=customer_key,
            external_key=external_key,
            fields=fields,
            meta=meta,
            mold_key=mold_key,
            stage=stage,
        )
        return self._api.call("POST", self.path, one(self.record), json=body)

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
        """Change a deal; what is not given stays as it is."""
        body = payloads.changes(
            CHECKS,
            account_name=account_name,
            amount=amount,
            close_date=close_date,
            contact_first_name=contact_first_name,
            contact_last_name=contact_last_name,
            customer_key=customer_key,
            external_key=external_key,
            fields=fields,
            meta=meta,
            mold_key=mold_key,
            stage=stage,
        )
        return self._api.call("PATCH", self._address(deal_key), one(self.record), json=body)

    def archive(self, deal_key: str) -> None:
        self._api.call("DELETE", self._address(deal_key), nothing)

    def convert(self, deal_key: str, *, email: str, customer_key: str | Unset = UNSET) -> CustomerRecord:
        """Make a customer of a deal, under the site's own ``customer_key``."""
        body = payloads.body(CONVERT_CHECKS, email=email, customer_key=customer_key)
        return self._api.call("POST", f"{self._address(deal_key)}/convert", one(CustomerRecord), json=body)

    def assign(self, deal_key: str, partnership_key: str, team_key: str) -> None:
        """Give a deal to a partner. ``team_key``: the ``stck_…`` key of the partner's team."""
        to = f"{segment('partnership_key', partnership_key)}/{segment('team_key', team_key)}"
        self._api.call("POST", f"{self._address(deal_key)}/assignment/{to}", nothing, root=True)

    def files(self, deal_key: str) -> list[dict[str, Any]]:
        """The files of a deal: ``key``, ``name`` and ``field_key`` of each."""
        return self._api.call("GET", f"{self._address(deal_key)}/files", _files)

    def file_url(self, deal_key: str, file_key: str) -> str:
        """Where a file of a deal can be fetched."""
        path = f"{self._address(deal_key)}/file/{segment('file_key', file_key)}"
        return self._api.call("GET", path, _file_url, root=True)

    def _address(self, deal_key: str) -> str:
        return f"{self.path}/{segment('deal_key', deal_key)}"


def _files(data: Any) -> list[dict[str, Any]]:
    files = data.get("deal_files") if isinstance(data, dict) else None
    if not isinstance(files, list):
        raise Malformed("the answer holds no files")
    return files


def _file_url(data: Any) -> str:
    url = data.get("url") if isinstance(data, dict) else None
    if not isinstance(url, str):
        raise Malformed("the answer holds no URL")
    return url
