"""How PartnerStack is told of a new customer, by what is known of who sent it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..conf import conf
from ..models import Attribution, OutboxMessage, Way


@dataclass(frozen=True)
class Credit:
    """The operation that creates the customer with what it adds to the content; no operation: organic."""

    operation: str = ""
    content: dict[str, Any] = field(default_factory=dict)
    reason: str = ""


def credit(payload: dict[str, Any], attribution: Attribution | None) -> Credit:
    """
    The partner whom a person chose, else the one that the site names, else the visitor's click, else the
    click's partner.

    A click id needs the tracking token: only then PartnerStack counts the click itself
    (docs.partnerstack.com/docs/migrating-customer-api-to-server-to-server).
    """
    if attribution is not None and attribution.way == Way.HAND:
        return Credit("customers.create", {"partner_key": attribution.partner_key})
    if payload.get("partner_key"):
        return Credit("customers.create")
    if attribution is None:
        return Credit(reason="The customer has no partner.")
    if attribution.click_id and conf.tracking_token:
        visit = attribution.visit if conf.privacy == "full" else {}
        return Credit("conversions.create", {"xid": attribution.click_id, **visit})
    if attribution.partner_key:
        return Credit("customers.create", {"partner_key": attribution.partner_key})
    if attribution.click_id:
        return Credit(
            reason="The click names no partner, and there is no PARTNERSTACK_TRACKING_TOKEN to convert it."
        )
    return Credit(reason=attribution.reason or "The partner key in the link could not be read.")


def credited(message: OutboxMessage) -> bool:
    """Whether the creation of a customer names who is credited for it; an organic one does not."""
    return bool(message.credit or message.payload.get("partner_key"))
