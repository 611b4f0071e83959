"""Why a sign-up is attributed to a partner, or to none: in sentences, for the admin and for a command."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import router
from django.utils.dateparse import parse_datetime

from ..conf import conf
from ..identity.customers import identity_of_key
from ..identity.references import HostObject
from ..models import (
    Attribution,
    AttributionMethod,
    Customer,
    CustomerIdentity,
    OutboxMessage,
    Partnership,
    SourceFailure,
    State,
)
from ..models.mirror import Mode
from ..outbox.operations import SAVE_CUSTOMER, creating_customers
from ..outbox.queue.new_message import customer_lane
from .message_history import describe, when

#: How many messages are listed: the oldest, because they decide about the attribution.
MESSAGES = 20

NO_ATTRIBUTION = (
    "This site has no attribution for {key}. The customer was created at PartnerStack, before "
    "AttributionMiddleware was installed, or outside a request, without request= or token= for track.signup."
)


@dataclass(frozen=True)
class Facts:
    """
    What the database contains about the attribution of a customer.

    ``messages``: the first of this customer, and how many ``more`` there are. ``creation``: the message that
    creates it at PartnerStack; None if there is none, or if an operator cancelled it. ``skipped``: the
    source's reasons not to report it. ``failure``: why its object could not be reported. ``customer``: as
    synced, or None if PartnerStack does not have it.
    """

    customer_key: str
    mode: str
    attribution: Attribution | None
    messages: list[OutboxMessage]
    more: int
    creation: OutboxMessage | None
    skipped: list[str]
    failure: SourceFailure | None
    customer: Customer | None

    @property
    def partner_key(self) -> str:
        """The partner that this site attributes the customer to; empty if only a click ID is known."""
        reported = self.creation.content.get("partner_key", "") if self.creation else ""
        return reported or (self.attribution.partner_key if self.attribution else "")

    def partnership(self) -> Partnership | None:
        """The partner's row, as last synced."""
        rows = Partnership.objects.filter(mode=self.mode, partner_key=self.partner_key)
        return rows.order_by("-pk").first() if self.partner_key else None


def explain(customer_key: str, *, mode: str, with_messages: bool = True) -> list[str]:
    """
    Explain the attribution of a customer, in the order of time.

    The sentences say what was clicked, what was decided and reported, and what PartnerStack has. Keys from
    the settings are masked. ``with_messages``: False for readers who may not see messages. Takes at most
    nine queries.
    """
    facts = _read(customer_key, mode)
    reported = (_reporting, _messages) if with_messages else ()
    parts = (_decision, _clicks, *reported, _at_partnerstack, _differences)
    return [conf.without_keys(sentence) for part in parts for sentence in part(facts)]


def _read(customer_key: str, mode: str) -> Facts:
    attribution = Attribution.objects.filter(mode=mode, customer_key=customer_key).first()
    customers = Customer.objects.filter(mode=mode, customer_key=customer_key).order_by("-pk")
    messages = OutboxMessage.objects.filter(mode=mode, lane=customer_lane(customer_key)).order_by("pk")
    creations = messages.filter(operation__in=(*creating_customers(), SAVE_CUSTOMER))
    first = list(messages[:MESSAGES])
    identity = identity_of_key(customer_key, mode=mode, using=router.db_for_write(CustomerIdentity))
    host = identity.host if identity is not None else None
    return Facts(
        customer_key=customer_key,
        mode=mode,
        attribution=attribution,
        messages=first,
        more=max(messages.count() - MESSAGES, 0),
        creation=creations.exclude(state=State.CANCELLED).order_by("-pk").first(),
        skipped=_skipped(attribution, host.namespace if host else ""),
        failure=_failure(host, mode),
        customer=customers.first(),
    )


def _skipped(attribution: Attribution | None, namespace: str) -> list[str]:
    if attribution is None or not attribution.source:
        return []
    notes = OutboxMessage.objects.filter(mode=attribution.mode, state=State.SKIPPED, lane="")
    notes = notes.filter(source=attribution.source, source_pk=attribution.source_pk, namespace=namespace)
    return list(notes.order_by("pk").values_list("reason", flat=True))


def _failure(host: HostObject | None, mode: str) -> SourceFailure | None:
    """The failure of the customer's object."""
    if host is None:
        return None
    table, namespace, pk = host.row
    failures = SourceFailure.objects.filter(mode=mode, table=table, namespace=namespace, source_pk=pk)
    return failures.first()


def _decision(facts: Facts) -> Iterator[str]:
    key, attribution = facts.customer_key, facts.attribution
    if attribution is None:
        yield NO_ATTRIBUTION.format(key=key)
        return
    created, reason = f"{key} was created {when(attribution.bound_at)}", attribution.reason
    if attribution.method == AttributionMethod.MANUAL:
        yield f"{key} is attributed to the partner {attribution.partner_key}. {reason}"
    elif attribution.method == AttributionMethod.NONE:
        yield f"{created}, without a click. {reason}".rstrip()
    else:
        yield f"{created}. Its click was read from {attribution.get_method_display()}."


def _clicks(facts: Facts) -> Iterator[str]:
    attribution = facts.attribution
    if attribution is None or not (attribution.click_id or attribution.partner_key or attribution.unread_key):
        return
    if attribution.method != AttributionMethod.MANUAL or attribution.click_id:
        yield _click(vars(attribution), attribution.clicked_at, attribution.landing_path)
    for earlier in attribution.earlier_clicks:
        at = parse_datetime(earlier.get("at", ""))
        yield f"Earlier click: {_click(earlier, at, earlier.get('path', ''))}"
    if attribution.earlier_clicks:
        yield "The last click counts."


def _click(click: dict[str, Any], at: datetime | None, path: str) -> str:
    link = "a link without a partner key"
    if click.get("partner_key"):
        link = f"a link of the partner {click['partner_key']}"
    elif click.get("unread_key"):
        link = f"a link whose partner key cannot be read ({click['unread_key']})"
    host = f" at {click['link_host']}" if click.get("link_host") else ""
    page = f" to {path}" if path else ""
    moment = when(at) if at else "at an unknown time"
    click_id = f"The click ID is {click['click_id']}." if click.get("click_id") else "There is no click ID."
    return f"The visitor followed {link}{host}{page} {moment}. {click_id}"


def _reporting(facts: Facts) -> Iterator[str]:
    """How the customer is reported to PartnerStack, or why it is not."""
    for reason in facts.skipped:
        yield f"The site's source does not report the customer: {reason}"
    if failure := facts.failure:
        times = f"{failure.times} times, most recently" if failure.times > 1 else "once,"
        yield (
            f"The customer could not be reported {times} {when(failure.last_failed_at)}: {failure.error} "
            "Correct the cause, then save it, report it again in the admin, or run partnerstack_backfill."
        )
    if any(message.state == State.WAITING for message in facts.messages):
        yield "Customer not reported yet: its messages wait until the site reports it, or a sync finds it."
    creation = facts.creation
    if creation is None:
        if facts.customer is None:
            yield f"No message reports {facts.customer_key} to PartnerStack."
    elif creation.state == State.QUEUED:
        yield "The customer is queued. The worker decides how to report it when it processes the message."
    elif creation.state == State.ORGANIC:
        yield f"The customer is organic, so it is not reported to PartnerStack. {creation.reason}".rstrip()
    elif "xid" in creation.attributed_to:
        yield f"The customer is reported by converting the click {creation.attributed_to['xid']}."
    else:
        is_named = creation.payload.get("partner_key") and not creation.attributed_to
        named = ", which the site itself names" if is_named else ""
        yield f"The customer is reported with the partner key {facts.partner_key}{named}."


def _messages(facts: Facts) -> Iterator[str]:
    yield from describe(facts.messages)
    if facts.more:
        yield f"These are the first {MESSAGES} messages; there are {facts.more} more."


def _at_partnerstack(facts: Facts) -> Iterator[str]:
    customer = facts.customer
    if customer is None:
        yield "According to the last sync, PartnerStack does not have the customer."
        return
    partner = f"under the partner {customer.partner_key}" if customer.partner_key else "without a partner"
    yield f"PartnerStack has the customer as {customer.key}, {partner}."
    if customer.archived:
        yield "It is archived at PartnerStack."
    if customer.missing_since:
        yield f"A sync {when(customer.missing_since)} no longer found it at PartnerStack."


def _differences(facts: Facts) -> Iterator[str]:
    """Differences between this site and PartnerStack."""
    customer, partner_key, partnership = facts.customer, facts.partner_key, facts.partnership()
    if partner_key and partnership is None:
        yield (
            f"The synced partnerships do not include the partner {partner_key}. Run partnerstack_sync "
            "partnerships; if the partner is still missing then, PartnerStack does not have it."
        )
    if customer is None:
        return
    renamed = partnership is not None and partnership.key == customer.partnership_key
    if partner_key and customer.partner_key and customer.partner_key != partner_key and not renamed:
        yield (
            f"The attributions differ: this site attributes the customer to {partner_key}, PartnerStack to "
            f"{customer.partner_key}."
        )
    if customer.test is not None and customer.test != (facts.mode == Mode.TEST):
        marked = "marks the customer as test data" if customer.test else "does not mark it as test data"
        yield f"PartnerStack {marked}, but this site runs in {facts.mode} mode."
