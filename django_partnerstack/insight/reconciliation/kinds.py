"""The table of differences: what each kind means, and the one thing that mends it."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from ..findings import MESSAGES, SOURCE_ERRORS, Link

ATTRIBUTIONS = "partnerstack_attribution_changelist"


@dataclass(frozen=True)
class Kind:
    """
    A kind of difference between this site's books and PartnerStack's.

    ``mend``: the action of an operator, or the ``command`` that mends it, if one does. ``link``: the page of
    that action.
    """

    code: str
    sentence: str | Promise
    mend: str | Promise = ""
    command: str = ""
    link: Link | None = None


NOT_REPORTED = Kind(
    "not-reported", _("This site has never reported it to PartnerStack."), command="partnerstack_backfill"
)
NEEDS_ATTENTION = Kind(
    "needs-attention",
    _("Its message failed, is on hold or is blocked, so PartnerStack does not get it."),
    _("Correct the cause, then choose “Try again now” under Outbox messages."),
    link=Link(MESSAGES, "attention=yes"),
)
NOT_THERE = Kind(
    "not-there",
    _("This site has reported it, and PartnerStack does not have it."),
    command="partnerstack_sync customers transactions --full",
)
AMOUNT = Kind(
    "amount",
    _("The amounts differ."),
    _("Save the payment, then choose “Correct the payment” for its failed message."),
    link=Link(MESSAGES, "state__exact=dead"),
)
CURRENCY = Kind(
    "currency",
    _("The currencies differ."),
    _("Save the payment, then choose “Correct the payment” for its failed message."),
    link=Link(MESSAGES, "state__exact=dead"),
)
CUSTOMER = Kind(
    "customer",
    _("PartnerStack has the payment under another customer."),
    _("Save the payment, then choose “Correct the payment” for its failed message."),
    link=Link(MESSAGES, "state__exact=dead"),
)
PARTNER = Kind(
    "partner",
    _("PartnerStack has the customer under another partner."),
    _("Change the partner of the customer at PartnerStack."),
)
NOT_REFUNDED = Kind(
    "not-refunded",
    _("This site has reported the refund, and PartnerStack still has the payment."),
    _("Delete the transaction at PartnerStack."),
)
NOT_HERE = Kind(
    "not-here",
    _("At PartnerStack, but not on this site. Another integration may report the same payments."),
    _("Find out who reports it, and let only one integration report payments."),
)
DUPLICATE = Kind(
    "duplicate",
    _("PartnerStack has two transactions for one payment, so it pays twice."),
    _("Delete one of the two transactions at PartnerStack."),
)
UNATTRIBUTED = Kind(
    "unattributed",
    _("The customer is organic, although a click or a partner is known, so no partner earns a reward."),
    _("Choose “Assign a partner” under Attributions."),
    link=Link(ATTRIBUTIONS),
)
SOURCE_FAILED = Kind(
    "source-failed",
    _("Its source failed, or its data cannot be reported, so it was not compared."),
    _("Correct the cause, then choose “Report again” under Source errors."),
    link=Link(SOURCE_ERRORS),
)

#: By code, in the order in which they are shown.
KINDS: dict[str, Kind] = {
    kind.code: kind
    for kind in (
        NOT_REPORTED,
        NEEDS_ATTENTION,
        NOT_THERE,
        AMOUNT,
        CURRENCY,
        CUSTOMER,
        PARTNER,
        NOT_REFUNDED,
        NOT_HERE,
        DUPLICATE,
        UNATTRIBUTED,
        SOURCE_FAILED,
    )
}

#: What is no difference, by code, and what it is called.
AGREES = "agrees"
ON_THEIR_WAY = "on-their-way"
TOO_NEW = "too-new"
ORGANIC = "organic"
REFUNDED = "refunded"
CANCELLED = "cancelled"
SKIPPED = "skipped"
OTHER_SITE = "other-site"
OLDER = "older"
NO_DIFFERENCE: dict[str, str | Promise] = {
    AGREES: _("agree"),
    ON_THEIR_WAY: _("on their way"),
    TOO_NEW: _("newer than the last sync"),
    ORGANIC: _("organic"),
    REFUNDED: _("refunded"),
    CANCELLED: _("cancelled by an operator"),
    SKIPPED: _("not reported by their source"),
    OTHER_SITE: _("of another site"),
    OLDER: _("older"),
}
