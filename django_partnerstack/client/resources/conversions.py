from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...exceptions import InvalidArgument
from .. import payloads
from ..api import Api
from ..payloads import UNSET, Unset
from .listing import nothing

CHECKS = {
    "xid": payloads.key,
    "customer_key": payloads.key,
    "email": payloads.text(),
    "name": payloads.text(),
    "provider_key": payloads.key,
    "origin": payloads.text(2000),
    "ip_address": payloads.text(),
    "user_agent": payloads.text(10_000),
    "external_type": payloads.text(),
    "sub_ids": payloads.texts,
    "meta": payloads.mapping,
}


class Conversions:
    """
    Server-to-server conversions: a customer who came by a click.

    Works with the tracking token alone, at another host, and only if PartnerStack's support has enabled it.
    Source: docs.partnerstack.com (Server to Server (S2S) tracking).
    """

    def __init__(self, api: Api | None) -> None:
        self._api = api

    def create(
        self,
        *,
        xid: str,
        customer_key: str,
        email: str | Unset = UNSET,
        name: str | Unset = UNSET,
        provider_key: str | Unset = UNSET,
        origin: str | Unset = UNSET,
        ip_address: str | Unset = UNSET,
        user_agent: str | Unset = UNSET,
        external_type: str | Unset = UNSET,
        sub_ids: Sequence[str] | Unset = UNSET,
        meta: Mapping[str, Any] | Unset = UNSET,
    ) -> None:
        """
        Report that the visitor of click ``xid`` became the customer ``customer_key``.

        No error does not mean that a customer was made: read it back by its key after some minutes. E-mail
        and name may be left out or be made anonymous. One conversion counts per customer key, for ever.
        """
        if self._api is None:
            raise InvalidArgument("A conversion needs the tracking token: give Client a tracking_token.")
        body = payloads.body(
            CHECKS,
            xid=xid,
            customer_key=customer_key,
            email=email,
            name=name,
            provider_key=provider_key,
            origin=origin,
            ip_address=ip_address,
            user_agent=user_agent,
            external_type=external_type,
            sub_ids=sub_ids,
            meta=meta,
        )
        self._api.call("POST", "", nothing, json=body, may_be_empty=True)
