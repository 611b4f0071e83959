"""All that this site's database has on the question who sent one customer."""

from __future__ import annotations

from dataclasses import dataclass

from ..models import Attribution, Customer, OutboxMessage, Partnership, State
from ..outbox.operations import SAVE_CUSTOMER, creating_customers
from ..outbox.queue.messages import customer_lane

#: How many messages are looked at, the oldest ones: who sent a customer is settled at its beginning.
MESSAGES = 20


@dataclass(frozen=True)
class Known:
    """
    ``messages``: the first of this customer, and how many ``more`` there are. ``creation``: what is queued to
    create it; None if nothing is, or a person cancelled it. ``skipped``: notes that it is not reported.
    """

    customer_key: str
    mode: str
    attribution: Attribution | None
    messages: list[OutboxMessage]
    more: int
    creation: OutboxMessage | None
    skipped: list[OutboxMessage]
    customer: Customer | None

    @property
    def partner_key(self) -> str:
        """Whom this site credits, as far as it knows: a click id alone names nobody here."""
        told = self.creation.content.get("partner_key", "") if self.creation else ""
        return told or (self.attribution.partner_key if self.attribution else "")

    @property
    def at_partnerstack(self) -> Customer | None:
        """The customer as PartnerStack has it, if it is known to."""
        return self.customer if self.customer is not None and self.customer.key is not None else None

    def partnership(self) -> Partnership | None:
        """Of the partner whom this site credits, as mirrored."""
        rows = Partnership.objects.filter(mode=self.mode, partner_key=self.partner_key)
        return rows.order_by("-pk").first() if self.partner_key else None


def look(customer_key: str, mode: str) -> Known:
    """Read it, in six queries at most."""
    attribution = Attribution.objects.filter(mode=mode, customer_key=customer_key).first()
    customers = Customer.objects.filter(mode=mode, customer_key=customer_key)
    messages = OutboxMessage.objects.filter(mode=mode, lane=customer_lane(customer_key)).order_by("pk")
    creations = messages.filter(operation__in=(*creating_customers(), SAVE_CUSTOMER))
    return Known(
        customer_key=customer_key,
        mode=mode,
        attribution=attribution,
        messages=list(messages[:MESSAGES]),
        more=max(messages.count() - MESSAGES, 0),
        creation=creations.exclude(state=State.CANCELLED).order_by("-pk").first(),
        skipped=_skipped(attribution),
        customer=customers.order_by("-pk").first(),
    )


def _skipped(attribution: Attribution | None) -> list[OutboxMessage]:
    if attribution is None or not attribution.source:
        return []
    notes = OutboxMessage.objects.filter(mode=attribution.mode, state=State.SKIPPED, lane="")
    return list(notes.filter(source=attribution.source, source_pk=attribution.source_pk).order_by("pk"))
