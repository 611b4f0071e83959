"""How a new customer is created at PartnerStack: by API, by converting its click, or not at all (organic)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ....conf import conf
from ....models import Attribution, AttributionMethod, Customer, OutboxMessage
from ...agreement import compare
from ...operations import CONVERT_CLICK, CREATE_CUSTOMER

ANOTHER_CUSTOMER = (
    "PartnerStack has the customer key {!r} with {}, and the customer has no partner with whom it could be "
    "created. If it is the same customer, mark the message as delivered."
)


@dataclass(frozen=True)
class Creation:
    """
    The operation that creates a customer; empty for an organic customer, with the ``reason``.

    ``attributed_to``: the partner or click, sent with the content.
    """

    operation: str = ""
    attributed_to: dict[str, Any] = field(default_factory=dict)
    reason: str = ""


def creation_of(payload: dict[str, Any], attribution: Attribution | None) -> Creation:
    """
    Decide who the customer is attributed to.

    In this order: the partner that an operator assigned, the partner that the site names, the visitor's
    click, the partner of the click. A click is converted only with the tracking token; then PartnerStack
    counts the click itself (docs.partnerstack.com/docs/migrating-customer-api-to-server-to-server).
    """
    if attribution is not None and attribution.method == AttributionMethod.MANUAL:
        return Creation(CREATE_CUSTOMER, {"partner_key": attribution.partner_key})
    if payload.get("partner_key"):
        return Creation(CREATE_CUSTOMER)
    if attribution is None:
        return Creation(reason="The customer has no partner.")
    if attribution.click_id and conf.tracking_token:
        visit = attribution.visit if conf.privacy == "full" else {}
        return Creation(CONVERT_CLICK, {"xid": attribution.click_id, **visit})
    if attribution.partner_key:
        return Creation(CREATE_CUSTOMER, {"partner_key": attribution.partner_key})
    if attribution.click_id:
        return Creation(reason="The click names no partner, and there is no PARTNERSTACK_TRACKING_TOKEN.")
    return Creation(reason=attribution.reason or "The partner key in the link could not be read.")


def is_attributed(message: OutboxMessage) -> bool:
    """Whether the message that creates a customer names a partner or a click; otherwise it is organic."""
    return bool(message.attributed_to or message.payload.get("partner_key"))


def difference_to_mirror(payload: dict[str, Any], mirrored: Customer) -> str:
    """
    How a customer whom this site has never created differs from the mirror; empty if it does not.

    Another site may have used the key. If the address differs, nothing proves that it is the same customer:
    an update could overwrite somebody else's data, and a payment could be somebody else's. So the message is
    a creation, which PartnerStack refuses.
    """
    return compare(("email",), payload, mirrored).difference
