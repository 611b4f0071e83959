from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...exceptions import InvalidArgument
from .. import validation
from ..api import UNSET, Api, Unset, body
from .base import nothing

CHECKS = {
    "xid": validation.key,
    "customer_key": validation.key,
    "email": validation.text(),
    "name": validation.text(),
    "provider_key": validation.key,
    "origin": validation.text(2000),
    "ip_address": validation.text(),
    "user_agent": validation.text(10_000),
    "external_type": validation.text(),
    "sub_ids": validation.strings,
    "meta": validation.mapping,
}


class Conversions:
    """
    Server-to-server conversions: a click became a customer.

    They use the tracking token and their own host, and work only after PartnerStack's support has enabled
    them. See "Server to Server (S2S) tracking" at docs.partnerstack.com.
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
        Report that the visitor of the click ``xid`` became the customer ``customer_key``.

        ``email`` and ``name`` may be omitted or anonymous.

        Success does not mean that PartnerStack created a customer: read it by its key after some minutes.
        Only one conversion per customer key ever counts. Raises ``InvalidArgument`` without a tracking token.
        """
        if self._api is None:
            raise InvalidArgument("A conversion needs the tracking token: give Client a tracking_token.")
        fields = body(CHECKS, locals())
        self._api.call("POST", "", nothing, json=fields, may_be_empty=True)
